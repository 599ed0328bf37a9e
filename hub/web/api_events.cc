// The live stream's call: from a request to a stream that begins where the client left off, and ends when its login
// does.
#include "hub/web/api.h"

namespace vesta::hub {

void AddEventRoutes(Router& router, Auth& auth, EventHub& events, WebCounters& counters) {
  router.Add({"GET", "/api/v1/events", Scope::kRead,
              [&auth, &events, &counters](const Call& call, std::shared_ptr<Responder> reply) {
                std::string_view after = call.request.Header("last-event-id");
                // For a client that begins at the position of /latest: EventSource can't set the header itself.
                if (const std::string* text = call.request.Query("after"); text != nullptr && after.empty()) {
                  after = *text;
                }
                // Only what Auth reads of it is kept: the credentials.
                HttpRequest credentials;
                for (const auto& field : call.request.fields) {
                  if (field.first == "cookie" || field.first == "authorization") credentials.fields.push_back(field);
                }
                auto stream = events.Open(after, [&auth, credentials = std::move(credentials)] {
                  return auth.Check(credentials).scope != Scope::kNone;
                });
                if (!stream) {
                  ++counters.refused["too_many_streams"];
                  HttpResponse busy = ErrorResponse(503, "too_many_streams", "too many live streams are open");
                  busy.headers.emplace_back("Retry-After", "10");
                  return reply->Send(std::move(busy));
                }
                HttpResponse response;
                response.content_type = "text/event-stream";
                response.headers.emplace_back("Cache-Control", "no-store");
                response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would hold events back
                response.pieces = std::move(stream);
                response.live = true;
                reply->Send(std::move(response));
              }});
}

}  // namespace vesta::hub
