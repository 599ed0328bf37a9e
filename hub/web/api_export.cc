// History as a file: streamed as fast as the client reads, a few pieces at a time through the reading thread.
#include "hub/web/api.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

// Bytes made in one visit to the reading thread.
constexpr size_t kVisitBytes = 64 * 1024;

class ExportBody final : public BodyPieces, public std::enable_shared_from_this<ExportBody> {
 public:
  ExportBody(ApiContext& context, ExportPieces pieces) : context_(context), pieces_(std::move(pieces)) {}

  State Next(std::string* out) override {
    // The connection also asks when something else was written: what is being made is not touched then.
    if (at_work_) return State::kWait;
    if (!ready_.empty()) {
      *out += ready_;
      ready_.clear();
      return State::kMore;
    }
    if (ended_) return State::kEnd;
    Work();
    return State::kWait;
  }

 private:
  void Work() {
    at_work_ = true;
    context_.query(
        [self = shared_from_this()](StoreReader& reader) {
          while (!self->ended_ && self->ready_.size() < kVisitBytes) {
            const auto more = self->pieces_.next(reader, &self->ready_);
            self->ended_ = !more || !*more;
            // The status was sent long ago: what is cut must not look whole.
            if (!more) self->ready_ += "\n#error " + more.error().text + "\n";
          }
        },
        [self = shared_from_this()] {
          self->at_work_ = false;
          if (self->wake) self->wake();
        });
  }

  ApiContext& context_;
  ExportPieces pieces_;
  // Touched by one thread at a time: the reading thread while at_work_, else the main thread.
  std::string ready_;
  bool ended_ = false;
  bool at_work_ = false;
};

void Export(ApiContext& context, const QuerySlots& slots, const Call& call, const std::shared_ptr<Responder>& reply) {
  ExportCall wanted;
  for (const auto& [name, value] : call.request.query) {
    if (name == "format") wanted.format = value;
    if (name == "device") wanted.devices.push_back(value);
    if (name == "field") wanted.fields.push_back(value);
    if (name == "pseudonymous") {
      if (value != "true" && value != "false") return reply->Send(BadQuery("pseudonymous is true or false"));
      wanted.pseudonymous = value == "true";
    }
    const bool is_time = name == "from" || name == "to";
    if (is_time && !ParseTime(value, name == "from" ? &wanted.from_us : &wanted.to_us)) {
      return reply->Send(BadQuery("from and to are times such as 2026-08-11T06:21:25Z, or milliseconds since 1970"));
    }
  }
  auto pieces = context.make_export(wanted);
  if (!pieces) return reply->Send(BadQuery(pieces.error()));
  auto slot = slots.Take();
  if (!slot) return reply->Send(Busy());
  context.ward.Tell(call.access.who, "export",
                    {{"format", wanted.format},
                     {"pseudonymous", wanted.pseudonymous ? "yes" : "no"},
                     {"address", call.request.peer_address}});
  HttpResponse response;
  response.content_type = pieces->content_type;
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + pieces->file_name + "\"");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.pieces = std::make_shared<ExportBody>(context, std::move(*pieces));
  response.hold = std::move(slot);
  reply->Send(std::move(response));
}

}  // namespace

void AddExportRoute(Router& router, ApiContext& context, const QuerySlots& slots) {
  router.Add(
      {"GET", "/api/v1/export", Scope::kRead,
       [&context, slots](const Call& call, std::shared_ptr<Responder> reply) { Export(context, slots, call, reply); }});
}

}  // namespace vesta::hub
