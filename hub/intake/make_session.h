// The protocol session that a source's configuration asks for.
#pragma once

#include <memory>

#include "hub/config/config.h"
#include "model/session.h"

namespace vesta::hub {

// The configuration was checked: an unknown protocol gives nullptr.
std::unique_ptr<Session> MakeSession(const SourceConfig& config);

}  // namespace vesta::hub
