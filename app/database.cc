#include "app/database.h"

#include "hub/postgres/database_store.h"
#include "hub/store/store_origin.h"

namespace vesta::app {
namespace {

hub::postgres::ServerSettings ServerOf(const hub::Config& config) {
  return {config.storage.url, config.storage.password.Reveal(), hub::postgres::SchemaOfHub(config.hub_id)};
}

}  // namespace

std::unique_ptr<hub::Store> WithDatabase(std::unique_ptr<hub::Store> folder, const hub::Config& config,
                                         const Zone& zone) {
  return std::make_unique<hub::postgres::DatabaseStore>(std::move(folder), ServerOf(config), zone);
}

tl::expected<std::unique_ptr<hub::postgres::Follower>, std::string> MakeFollower(
    boost::asio::io_context& io, const hub::Clock& clock, hub::Journal& journal, const hub::Directory& directory,
    const hub::Config& config, const Zone& zone, const hub::Retention& retention) {
  auto origin = hub::OriginOfStore(config.storage.directory + "/vesta.db");
  if (!origin) return tl::unexpected(origin.error().text);
  hub::postgres::FollowerOptions options;
  options.server = ServerOf(config);
  options.origin = std::move(*origin);
  options.zone = zone;
  options.retention = retention;
  return std::make_unique<hub::postgres::Follower>(io, clock, journal, directory, std::move(options));
}

}  // namespace vesta::app
