#include "hub/web/directory_pieces.h"

#include <utility>

#include "hub/web/api_json.h"
#include "hub/web/json_text.h"

namespace vesta::hub {
namespace {

constexpr size_t kItemsPerPiece = 16;

}  // namespace

BodyPieces::State ListPieces::Next(std::string* out) {
  *out += std::exchange(head_, {});
  for (size_t i = 0; i < kItemsPerPiece && next_ < count_; ++i, ++next_) {
    const size_t before = out->size();
    if (!first_) *out += ',';
    const size_t start = out->size();
    write_(out, next_);
    if (out->size() == start) {
      out->resize(before);
    } else {
      first_ = false;
    }
  }
  if (next_ < count_) return State::kMore;
  *out += tail_;
  return State::kEnd;
}

std::shared_ptr<BodyPieces> DevicesBody(const ApiContext& context) {
  return std::make_shared<ListPieces>(
      R"({"devices":[)", context.directory.devices().size(),
      [&context](std::string* out, size_t index) {
        AppendJson(out, [&](JsonWriter& json) { WriteDevice(json, context, context.directory.devices()[index]); });
      },
      "]}");
}

std::shared_ptr<BodyPieces> SeriesBody(const ApiContext& context, std::vector<SeriesId> chosen) {
  const size_t count = chosen.size();
  return std::make_shared<ListPieces>(R"({"series":[)", count,
                                      [&context, ids = std::move(chosen)](std::string* out, size_t index) {
                                        const Series* const series = context.directory.FindSeries(ids[index]);
                                        if (series != nullptr)
                                          AppendJson(out,
                                                     [&](JsonWriter& json) { WriteSeries(json, context, *series); });
                                      },
                                      "]}");
}

std::shared_ptr<BodyPieces> LatestBody(const ApiContext& context, std::string head, std::vector<SeriesId> chosen) {
  const size_t count = chosen.size();
  return std::make_shared<ListPieces>(
      std::move(head), count,
      [&context, ids = std::move(chosen)](std::string* out, size_t index) {
        const Series* const series = context.directory.FindSeries(ids[index]);
        const LiveValue* const value = context.live.Find(ids[index]);
        if (series == nullptr || value == nullptr) return;
        AppendJson(out, [&](JsonWriter& json) { WriteLiveValue(json, context, *series, *value); });
      },
      "]}");
}

}  // namespace vesta::hub
