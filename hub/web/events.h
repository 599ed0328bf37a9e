// The live stream: server-sent events as docs/api.md describes them.
//
// What changed stands in one ChangeLog for all clients; a client is a position in it. A client that reads slowly, or
// not at all, costs nothing while it sleeps and gets the newest value of each series when it wakes. Main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/live/live_view.h"
#include "hub/web/change_log.h"
#include "hub/web/http_message.h"
#include "hub/web/limits.h"

namespace vesta::hub {

struct ApiContext;

class EventHub {
 public:
  EventHub(ApiContext& context, const WebLimits& limits);
  ~EventHub();

  // A stream that goes on after the position `last_event_id`, or begins with a snapshot when that is none of this run.
  // `allowed` is asked now and then: a stream whose session ended ends. nullptr: there are enough clients.
  std::shared_ptr<BodyPieces> Open(std::string_view last_event_id, std::function<bool()> allowed);

  // Where the stream stands: "BOOT-N".
  std::string Position() const { return IdOf(log_.last_number()); }

  // Wakes the clients that have something to send. Call each WebLimits::event_interval_us.
  void Tick();

  size_t clients() const;
  uint64_t coalesced() const { return coalesced_; }

 private:
  class Client;

  std::string IdOf(uint64_t number) const;
  void RefreshSummaries();

  ApiContext& context_;
  const WebLimits& limits_;
  std::string boot_;
  ChangeLog log_;
  LiveView::Token listener_;
  std::vector<std::weak_ptr<Client>> clients_;
  int64_t summaries_us_ = INT64_MIN;  // when they were looked at last
  std::string sources_;               // as last seen, without ages
  std::string outputs_;
  uint64_t sources_revision_ = 0;
  uint64_t outputs_revision_ = 0;
  uint64_t coalesced_ = 0;
};

}  // namespace vesta::hub
