#include "hub/sources/nodes.h"

namespace vesta::hub {

std::unique_ptr<Source> MakeNodesSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                        SetAir set_air) {
  if (config.air == "serial") return MakeSerialRadio(io, config, line, std::move(set_air));
  if (config.air == "wifi") return MakeWifiMonitor(io, config, line, std::move(set_air));
  return MakeUdpAir(io, config, line);
}

}  // namespace vesta::hub
