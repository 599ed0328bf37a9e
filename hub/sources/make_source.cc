// Which transport a configuration names: the one place that knows them all.

#include "hub/sources/bluetooth/bluetooth_source.h"
#include "hub/sources/can.h"
#include "hub/sources/can_udp.h"
#include "hub/sources/capture.h"
#include "hub/sources/nodes.h"
#include "hub/sources/serial.h"
#include "hub/sources/slcan.h"
#include "hub/sources/source.h"
#include "hub/sources/tcp_client.h"
#include "hub/sources/tcp_listener.h"
#include "hub/sources/udp.h"

namespace vesta::hub {

std::unique_ptr<Source> MakeSource(boost::asio::io_context& io, const SourceConfig& config, Line& line) {
  if (config.type == "serial") return MakeSerialSource(io, config, line);
  if (config.type == "tcp") return MakeTcpClientSource(io, config, line);
  if (config.type == "tcp-listen") return MakeTcpListenerSource(io, config, line);
  if (config.type == "udp") return MakeUdpSource(io, config, line);
  if (config.type == "bluetooth") return MakeBluetoothSource(io, config, line);
  if (config.type == "slcan") return MakeSlcanSource(io, config, line);
  if (config.type == "can") return MakeCanSource(io, config, line);
  if (config.type == "can-udp") return MakeCanUdpSource(io, config, line);
  if (config.type == "nodes") return MakeNodesSource(io, config, line);
  return MakeCaptureSource(io, config, line);  // the schema knows no other
}

}  // namespace vesta::hub
