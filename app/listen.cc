#include "app/listen.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>

#include "app/listening_line.h"
#include "hub/clock/clock.h"
#include "hub/intake/make_session.h"
#include "hub/sources/source.h"

namespace vesta::app {
namespace {

// Notices the first frame that answers the question.
class FirstFrame final : public SessionEvents {
 public:
  void OnDevice(uint16_t, const DeviceInfo&) override {}
  void OnFrame(const FrameEvent& frame) override { seen |= frame.verdict != FrameVerdict::kDiscarded && Tells(frame); }
  bool seen = false;

 private:
  static bool Tells(const FrameEvent& frame) {
    return (frame.verdict == FrameVerdict::kAccepted && !frame.raw.empty()) || frame.link_encrypted;
  }
};

}  // namespace

Listened ListenTo(const hub::SourceConfig& config, double seconds) {
  boost::asio::io_context io;
  const hub::SystemClock clock;
  const std::unique_ptr<Session> session = hub::MakeSession(config);
  FirstFrame first;
  Listened result;
  ListeningLine line([&](Bytes bytes) {
    const size_t room = std::min(bytes.size(), kListenedBytesMax - result.bytes.size());
    result.bytes.insert(result.bytes.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(room));
    session->Receive(bytes, clock.Read(), first);
    if (first.seen || result.bytes.size() == kListenedBytesMax) io.stop();
  });
  line.changed = [&](std::string_view why, bool) {
    if (why.empty()) {
      result.opened = true;
      return;
    }
    result.error = why;
    result.hint = line.health().hint;
    io.stop();
  };
  const std::unique_ptr<hub::Source> source = hub::MakeSource(io, config, line);
  if (source == nullptr) {
    result.error = "a source of type " + config.type + " cannot be listened to";
    return result;
  }
  source->Start();
  io.run_for(std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)));
  source->Stop();
  return result;
}

}  // namespace vesta::app
