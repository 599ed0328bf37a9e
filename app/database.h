// The PostgreSQL database that keeps a hub's history, when the configuration names one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "hub/config/config.h"
#include "hub/postgres/follower.h"
#include "hub/store/store.h"

namespace vesta::app {

// The same files as ever take the commits; readers see the database, too.
std::unique_ptr<hub::Store> WithDatabase(std::unique_ptr<hub::Store> folder, const hub::Config& config,
                                         const Zone& zone);
tl::expected<std::unique_ptr<hub::postgres::Follower>, std::string> MakeFollower(
    boost::asio::io_context& io, const hub::Clock& clock, hub::Journal& journal, const hub::Directory& directory,
    const hub::Config& config, const Zone& zone, const hub::Retention& retention);

}  // namespace vesta::app
