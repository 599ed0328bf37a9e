#include "hub/sources/can.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "hub/sources/can_interface.h"
#include "hub/sources/reconnecting.h"
#include "protocols/can_text.h"

namespace vesta::hub {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "struct can_frame is read as a little-endian host has it");

// Frames read before other work gets its turn.
constexpr int kBatchFrames = 64;
constexpr uint32_t kMasterBusBitrate = 250000;

class CanCore final : public Reconnecting {
 public:
  CanCore(boost::asio::io_context& io, const SourceConfig& config, Line& line, const StreamTiming& timing,
          CanOpener opener)
      : Reconnecting(io, config, line, timing), opener_(std::move(opener)), socket_(io) {}

 private:
  using Error = boost::system::error_code;

  void Open() override {
    const tl::expected<int, CanSocketError> opened = opener_(config());
    if (!opened) {
      const CanSocketError& error = opened.error();
      return error.missing ? Missing(error.what, error.hint) : Lost(error.what, error.hint, false);
    }
    ++generation_;
    socket_.assign(*opened);
    data_flowed_ = false;
    dropped_ = 0;
    const std::optional<CanInterface> facts = ReadCanInterface(config().can_interface);
    line().health().where = facts ? DescribeCanInterface(config().can_interface, *facts) : config().can_interface;
    if (!config().listen_only) {
      line().WhenToSend([weak = std::weak_ptr(std::static_pointer_cast<CanCore>(shared_from_this()))] {
        if (const auto self = weak.lock()) self->SendWanted();
      });
    }
    const uint64_t generation = generation_;
    Established();
    if (generation != generation_) return;
    if (facts && facts->bitrate != 0 && facts->bitrate != kMasterBusBitrate && config().protocol == "masterbus") {
      line().health().hint = fmt::format("a MasterBus runs at {} bit/s, {} at {}", kMasterBusBitrate,
                                         config().can_interface, facts->bitrate);
    }
    Wait();
    SendWanted();
  }

  void Release() override {
    ++generation_;
    Error ignored;
    if (socket_.is_open()) socket_.close(ignored);
  }

  template <typename Call>
  auto Guarded(Call call) {
    return [self = std::static_pointer_cast<CanCore>(shared_from_this()), generation = generation_,
            call](const Error& error = {}) {
      if (generation == self->generation_ && !error) call(*self);
    };
  }

  void Wait() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read, Guarded([](CanCore& self) { self.Read(); }));
  }

  void Read() {
    const uint64_t generation = generation_;
    for (int i = 0; i < kBatchFrames; ++i) {
      const ssize_t size = ReadOne();
      if (size < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return Wait();
        return OnError(errno);
      }
      if (size == 0) return Lost(fmt::format("{} went away", config().can_interface), "", data_flowed_);
      OnBytes(static_cast<size_t>(size));
      if (generation != generation_) return;
    }
    boost::asio::post(io(), Guarded([](CanCore& self) { self.Read(); }));
  }

  ssize_t ReadOne() {
    iovec part{received_.data(), received_.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(uint32_t))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket_.native_handle(), &message, 0);
    if (size < 0) return size;
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
      if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SO_RXQ_OVFL) continue;
      uint32_t dropped = 0;
      std::memcpy(&dropped, CMSG_DATA(one), sizeof dropped);
      CountDropped(dropped);
    }
    return size;
  }

  // The kernel counts for the life of the socket.
  void CountDropped(uint32_t dropped) {
    const uint32_t more = dropped - dropped_;
    if (more == 0) return;
    dropped_ = dropped;
    line().health().frames_discarded["kernel_dropped"] += more;
  }

  void OnBytes(size_t size) {
    if (size != can::kKernelFrameSize) {
      ++line().health().frames_discarded["can_read_size"];
      return;
    }
    const auto frame =
        can::ReadKernelFrame(std::span<const uint8_t, can::kKernelFrameSize>(received_.data(), can::kKernelFrameSize));
    if (!frame) {
      ++line().health().frames_discarded["can_frame"];
      return;
    }
    data_flowed_ |= !frame->is_error;
    std::array<uint8_t, can::kMaxFrameSize> bytes;
    line().Received({bytes.data(), can::WriteFrame(*frame, bytes)});
    SendWanted();
  }

  void OnError(int error) {
    if (error == ENETDOWN) {
      return Missing(fmt::format("{} went down", config().can_interface),
                     "ip link tells why; restart-ms lets it recover from bus-off by itself");
    }
    if (error == ENODEV || error == ENXIO) {
      return Missing(fmt::format("{} went away (unplugged?)", config().can_interface), "");
    }
    Lost(fmt::format("{}: {}", config().can_interface, std::strerror(error)), "", data_flowed_);
  }

  void SendWanted() {
    if (config().listen_only || !socket_.is_open()) return;
    for (Bytes wanted = line().ToSend(); !wanted.empty(); wanted = line().ToSend()) {
      const std::optional<can::Frame> frame = can::ReadFrame(wanted);
      line().Sent(wanted.size());
      if (!frame) continue;
      std::array<uint8_t, can::kKernelFrameSize> bytes;
      can::WriteKernelFrame(*frame, 0, bytes);
      // A full queue (nobody acknowledges) loses the question; it is asked again.
      if (send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
        ++line().health().frames_discarded["not_sent"];
      }
    }
  }

  CanOpener opener_;
  boost::asio::posix::stream_descriptor socket_;
  std::array<uint8_t, 80> received_{};  // a CAN FD frame has 72 bytes
  uint32_t dropped_ = 0;
  uint64_t generation_ = 0;
  bool data_flowed_ = false;
};

}  // namespace

std::unique_ptr<Source> MakeCanSource(boost::asio::io_context& io, const SourceConfig& config, Line& line,
                                      const StreamTiming& timing, CanOpener opener) {
  return MakeHeldSource(std::make_shared<CanCore>(io, config, line, timing, std::move(opener)));
}

}  // namespace vesta::hub
