#include "tests/chips/target/stack_watch.h"

#include <cstdint>
#include <cstdio>
#include <span>

#include "model/session.h"
#include "tests/chips/target/host.h"

namespace vesta::chips {
namespace {

// Streams are fed byte by byte as well: painting each of those calls would take most of the time, and the byte that
// ends a frame does no more than a piece that does.
constexpr size_t kSmallPiece = 64;

struct Watched {
  const char* name;
  size_t deepest = 0;
};
Watched p1{"p1"}, medibus{"medibus"}, vedirect{"vedirect"}, victron{"victron"}, masterbus{"masterbus"},
    node{"node_app"};

class Watch {
 public:
  explicit Watch(Watched* watched) : watched_(watched) { PaintStack(); }
  ~Watch() {
    const size_t used = StackUsed();
    if (used > watched_->deepest) watched_->deepest = used;
  }

 private:
  Watched* watched_;
};

}  // namespace

void SayStacks() {
  for (const Watched* w : {&p1, &medibus, &vedirect, &victron, &masterbus, &node}) {
    if (w->deepest > 0) std::printf("stack %s %zu\n", w->name, w->deepest);
  }
}

}  // namespace vesta::chips

using vesta::Bytes;
using vesta::Now;
using vesta::SessionEvents;

// The names as the linker knows them: a member function with its object as first argument.
#define WATCH_RECEIVE(watched, symbol, smallest)                                                   \
  extern "C" void __real_##symbol(void* self, Bytes bytes, const Now& now, SessionEvents& events); \
  extern "C" void __wrap_##symbol(void* self, Bytes bytes, const Now& now, SessionEvents& events); \
  void __wrap_##symbol(void* self, Bytes bytes, const Now& now, SessionEvents& events) {           \
    if (bytes.size() < (smallest)) return __real_##symbol(self, bytes, now, events);               \
    const vesta::chips::Watch watch(&vesta::chips::watched);                                       \
    __real_##symbol(self, bytes, now, events);                                                     \
  }

WATCH_RECEIVE(p1, _ZN5vesta2p19P1Session10ReceiveAnyESt4spanIKhLj4294967295EERKNS_3NowERNS_13SessionEventsE,
              vesta::chips::kSmallPiece)
WATCH_RECEIVE(medibus, _ZN5vesta7medibus14MedibusSession7ReceiveESt4spanIKhLj4294967295EERKNS_3NowERNS_13SessionEventsE,
              1)
WATCH_RECEIVE(vedirect,
              _ZN5vesta8vedirect15VedirectSession7ReceiveESt4spanIKhLj4294967295EERKNS_3NowERNS_13SessionEventsE,
              vesta::chips::kSmallPiece)
WATCH_RECEIVE(victron, _ZN5vesta7victron10BleSession7ReceiveESt4spanIKhLj4294967295EERKNS_3NowERNS_13SessionEventsE, 1)
WATCH_RECEIVE(masterbus,
              _ZN5vesta9masterbus16MasterBusSession7ReceiveESt4spanIKhLj4294967295EERKNS_3NowERNS_13SessionEventsE, 1)

extern "C" int64_t __real__ZN5vesta4node3App3RunEv(void* self);
extern "C" int64_t __wrap__ZN5vesta4node3App3RunEv(void* self);
int64_t __wrap__ZN5vesta4node3App3RunEv(void* self) {
  const vesta::chips::Watch watch(&vesta::chips::node);
  return __real__ZN5vesta4node3App3RunEv(self);
}

extern "C" void __real__ZN5vesta4node3App5StartEv(void* self);
extern "C" void __wrap__ZN5vesta4node3App5StartEv(void* self);
void __wrap__ZN5vesta4node3App5StartEv(void* self) {
  const vesta::chips::Watch watch(&vesta::chips::node);
  __real__ZN5vesta4node3App5StartEv(self);
}
