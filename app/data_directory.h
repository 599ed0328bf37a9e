// A data directory opened for reading, with or without a hub running on it.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "hub/devices/decoders.h"
#include "hub/devices/directory.h"
#include "hub/places/places.h"
#include "hub/store/store.h"

namespace vesta::app {

struct DataDirectory {
  hub::Directory directory;
  hub::Places places;
  hub::Decoders decoders;
  std::unique_ptr<hub::StoreReader> reader;
};

// The error is for people.
tl::expected<std::unique_ptr<DataDirectory>, std::string> OpenDataDirectory(const std::string& path);

}  // namespace vesta::app
