// Answers over all devices or series, made a piece at a time: a hub with ten thousand series answers from the same few
// kilobytes as one with ten.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "formats/json_writer.h"
#include "hub/web/api.h"
#include "hub/web/http_message.h"

namespace vesta::hub {

// `head`, then what write(index) appends for 0 <= index < count with commas between, then `tail`. An item that write
// leaves empty is left out.
class ListPieces final : public BodyPieces {
 public:
  using Write = std::function<void(std::string* out, size_t index)>;
  ListPieces(std::string head, size_t count, Write write, std::string tail)
      : head_(std::move(head)), count_(count), write_(std::move(write)), tail_(std::move(tail)) {}
  State Next(std::string* out) override;

 private:
  std::string head_;
  size_t count_;
  Write write_;
  std::string tail_;
  size_t next_ = 0;
  bool first_ = true;
};

std::shared_ptr<BodyPieces> DevicesBody(const ApiContext& context);
std::shared_ptr<BodyPieces> SeriesBody(const ApiContext& context, std::vector<SeriesId> chosen);
// `head` is the document up to the values' opening bracket. Series without a value are left out.
std::shared_ptr<BodyPieces> LatestBody(const ApiContext& context, std::string head, std::vector<SeriesId> chosen);

}  // namespace vesta::hub
