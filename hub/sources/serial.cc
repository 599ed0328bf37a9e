#include "hub/sources/serial.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>

#include "hub/sources/byte_pump.h"
#include "hub/sources/reconnecting.h"
#include "hub/sources/serial_port.h"

namespace vesta::hub {
namespace {

class SerialCore final : public Reconnecting {
 public:
  SerialCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing)
      : Reconnecting(io, config, line, timing) {}

 private:
  using Port = boost::asio::posix::stream_descriptor;

  void Open() override {
    const tl::expected<OpenedPort, SerialError> opened = OpenSerialPort(config().port, config().baud, config().framing);
    if (!opened) {
      const SerialError& error = opened.error();
      return error.missing ? Missing(error.what, error.hint) : Lost(error.what, error.hint, false);
    }
    Port port(io(), opened->fd);
    path_ = opened->path;
    line().health().where = path_ == config().port ? path_ : fmt::format("{} ({})", config().port, path_);
    if (!opened->doubt.empty()) spdlog::warn("source {}: {}", config().name, opened->doubt);
    const auto self = std::static_pointer_cast<SerialCore>(shared_from_this());
    pump_ = std::make_shared<BytePump<Port>>(
        std::move(port), line(), [] { return std::chrono::microseconds(0); },
        [self](const boost::system::error_code& error) { self->OnEnded(error); });
    Established();
    if (pump_) pump_->Start();
  }

  void Release() override {
    if (const auto pump = std::exchange(pump_, nullptr)) pump->Close();
  }

  void OnEnded(const boost::system::error_code& error) {
    const bool data_flowed = pump_ && pump_->data_flowed();
    // A hang-up shows as the end of the file or as an input error, by driver.
    const bool unplugged =
        error == boost::asio::error::eof || error.value() == EIO || error.value() == ENXIO || error.value() == ENODEV;
    Lost(unplugged ? fmt::format("{} went away (unplugged?)", path_) : fmt::format("{}: {}", path_, error.message()),
         "", data_flowed);
  }

  std::shared_ptr<BytePump<Port>> pump_;
  std::string path_;
};

}  // namespace

std::unique_ptr<Source> MakeSerialSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                         const StreamTiming& timing) {
  return MakeHeldSource(std::make_shared<SerialCore>(io, config, line, timing));
}

}  // namespace vesta::hub
