#include "protocols/masterbus/reader.h"

#include <algorithm>
#include <iterator>

#include "model/session.h"

namespace vesta::masterbus {

Reader::Reader(const Limits& limits, const ReadingPace& pace) : pace_(pace), devices_(limits.devices) {
  pace_.gap_us = std::max(pace_.gap_us, kLeastGap_us);
  pace_.value_every_us = std::max(pace_.value_every_us, kLeastValueEvery_us);
  for (Progress& one : devices_) one.absent.reserve(kMaxAbsentFacts);
}

namespace {

// In a key: the device did not deny the fact, it only did not answer.
constexpr uint32_t kUnanswered = 1u << 31;

}  // namespace

uint32_t Reader::KeyOf(const Request& request) {
  return static_cast<uint32_t>(request.ask) << 24 | static_cast<uint32_t>(request.index) << 16 | request.number;
}

bool Reader::IsAbsent(const Progress& progress, const Request& request) const {
  // A text that breaks off is given up as a whole.
  Request wanted = request;
  if (wanted.ask == Ask::kText) wanted.index = 0;
  const uint32_t key = KeyOf(wanted);
  return std::any_of(progress.absent.begin(), progress.absent.end(),
                     [key](uint32_t one) { return (one & ~kUnanswered) == key; });
}

void Reader::GiveUp(Progress* progress, bool denied) {
  ++counters_.absent;
  progress->segment = 0;
  if (progress->request.ask == Ask::kValue) return;  // asked again in the next round
  Request request = progress->request;
  if (request.ask == Ask::kText) request.index = 0;
  if (progress->absent.size() < kMaxAbsentFacts) {
    progress->absent.push_back(KeyOf(request) | (denied ? 0 : kUnanswered));
  } else {
    progress->discovered = true;
  }
}

void Reader::AskAgain(Progress* progress) {
  progress->absent.erase(std::remove_if(progress->absent.begin(), progress->absent.end(),
                                        [](uint32_t one) { return (one & kUnanswered) != 0; }),
                         progress->absent.end());
  progress->ask_again_us = 0;
  progress->discovered = false;
}

void Reader::AskAgainAt(Progress* progress, int64_t at_us) {
  if (progress->ask_again_us == 0 || at_us < progress->ask_again_us) progress->ask_again_us = at_us;
}

int64_t Reader::AskAgainAfter(Progress* progress) {
  const size_t last = std::size(kAskAgainAfter_us) - 1;
  const size_t round = std::min<size_t>(progress->rounds_in_vain, last);
  if (round < last) ++progress->rounds_in_vain;
  return kAskAgainAfter_us[round];
}

int64_t Reader::DueOf(const Progress& progress) {
  const bool asks_again = !progress.busy && progress.ask_again_us != 0;
  return asks_again ? std::min(progress.due_us, progress.ask_again_us) : progress.due_us;
}

void Reader::Heard(const Model& model, uint16_t device, const Frame& frame) {
  // It may answer something, or make something new known that leaves questions.
  deadline_us_ = std::min(deadline_us_, looked_us_ + pace_.gap_us);
  Progress& progress = devices_[device];
  if (progress.address != frame.address) {
    std::vector<uint32_t> absent = std::move(progress.absent);
    absent.clear();
    progress = Progress();
    progress.address = frame.address;
    progress.absent = std::move(absent);
  }
  progress.deaf = false;
  if (!progress.busy || !Answers(frame, progress.request)) return;
  ++counters_.answered;
  progress.busy = false;
  progress.unanswered = 0;
  const bool refused = frame.role == Role::kPropertyNoValue || frame.role == Role::kItemMetaNoValue ||
                       frame.role == Role::kGroupMetaNoValue;
  if (refused) {
    GiveUp(&progress, true);
  } else if (progress.request.ask == Ask::kText) {
    progress.segment = frame.text_ends ? 0 : static_cast<uint8_t>(progress.segment + 1);
    // Ended, and yet the model has no room for it or lost a piece.
    const bool lost = frame.text_ends && model.FindText(device, frame.number) == nullptr;
    if (lost || progress.segment > kMaxText / 4) {
      GiveUp(&progress, false);
      progress.broke = true;
    }
  }
}

std::optional<Request> Reader::NextText(const Model& model, uint16_t device, uint16_t id, Progress* progress) const {
  if (model.FindText(device, id) != nullptr) return std::nullopt;
  if (progress->text_id != id) {
    progress->text_id = id;
    progress->segment = 0;
  }
  const Request request{Ask::kText, progress->address, id, progress->segment};
  if (IsAbsent(*progress, request)) return std::nullopt;
  return request;
}

std::optional<Request> Reader::NextOfItem(const Model& model, uint16_t device, uint16_t number,
                                          Progress* progress) const {
  const auto ask = [&](Ask what, uint8_t index) -> std::optional<Request> {
    const Request request{what, progress->address, number, index};
    if (IsAbsent(*progress, request)) return std::nullopt;
    return request;
  };
  const uint16_t at = model.FindItem(device, Menu::kMonitoring, number);
  if (at == kNone) return ask(Ask::kPresentation, 0);  // its answer makes the item known
  const Item& item = model.item(at);
  const auto open = [&item](ItemFact fact) { return ((item.known | item.denied) & fact) == 0; };
  if (open(kHasPresentation)) {
    if (const auto request = ask(Ask::kPresentation, 0)) return request;
  }
  if (open(kHasName)) {
    if (const auto request = ask(Ask::kName, 0)) return request;
  }
  if ((item.known & kHasName) != 0) {
    if (const auto request = NextText(model, device, item.name_id, progress)) return request;
  }
  if (item.presentation == Presentation::kNumber) {
    if (open(kHasUnit)) {
      if (const auto request = ask(Ask::kUnit, 0)) return request;
    }
    if ((item.known & kHasUnit) != 0 && item.unit_id != 0) {
      if (const auto request = NextText(model, device, item.unit_id, progress)) return request;
    }
  }
  if (item.presentation != Presentation::kDropDown) return std::nullopt;
  if (open(kHasMaximum)) return ask(Ask::kOptionCount, 0);
  const uint16_t count = std::min(ReadOption(item.maximum_or_count).value_or(0), model.limits().options_per_item);
  for (uint16_t i = 0; i < count; ++i) {
    const Option* option = model.FindOption(item, static_cast<uint8_t>(i));
    if (option == nullptr) {
      if (const auto request = ask(Ask::kOptionLabel, static_cast<uint8_t>(i))) return request;
    } else if (option->has_label) {
      if (const auto request = NextText(model, device, option->text_id, progress)) return request;
    }
  }
  return std::nullopt;
}

std::optional<Request> Reader::NextFact(const Model& model, uint16_t device, Progress* progress) const {
  const auto ask = [&](Ask what, uint16_t number, uint8_t index) -> std::optional<Request> {
    const Request request{what, progress->address, number, index};
    if (IsAbsent(*progress, request)) return std::nullopt;
    return request;
  };
  for (const uint8_t text : {kStringName, kStringArticle, kStringSerial}) {
    const Property* id = model.FindProperty(device, kPropertyStringId, text);
    if (id == nullptr) {
      if (const auto request = ask(Ask::kDeviceTextId, text, 0)) return request;
    } else if (id->has_value) {
      if (const auto request = NextText(model, device, id->value, progress)) return request;
    }
  }
  const Property* groups = model.FindProperty(device, kPropertyInfo, kInfoMonitoringGroups);
  if (groups == nullptr) return ask(Ask::kGroups, 0, 0);
  const uint16_t group_count = groups->has_value ? std::min(groups->value, kMaxGroupsAsked) : uint16_t{0};
  for (uint16_t g = 0; g < group_count; ++g) {
    const Group* group = model.FindGroup(device, Menu::kMonitoring, g);
    if (group == nullptr || !group->has_count) {
      if (const auto request = ask(Ask::kItemsInGroup, g, 0)) return request;
      continue;
    }
    const uint16_t places = std::min(group->count, model.limits().places_per_group);
    for (uint16_t i = 0; i < places; ++i) {
      const Place* place = model.FindPlace(*group, static_cast<uint8_t>(i));
      if (place == nullptr) {
        if (const auto request = ask(Ask::kItemAt, g, static_cast<uint8_t>(i))) return request;
      } else if (const auto request = NextOfItem(model, device, place->item, progress)) {
        return request;
      }
    }
  }
  return std::nullopt;
}

// One item after the other; a round begins when the pace says so.
std::optional<Request> Reader::NextValue(const Model& model, uint16_t device, Progress* progress,
                                         int64_t now_us) const {
  if (progress->next_item == kNone) {
    if (now_us < progress->due_us) return std::nullopt;
    progress->next_item = model.device(device).first_item;
    progress->round_us = now_us;
  }
  while (progress->next_item != kNone) {
    const Item& item = model.item(progress->next_item);
    progress->next_item = item.next;
    // What a display reads often enough need not be asked for again.
    const bool fresh = item.seen.values > 0 && now_us - item.seen.last_us < pace_.value_every_us / 2;
    if (item.menu == Menu::kMonitoring && !fresh) return Request{Ask::kValue, progress->address, item.number, 0};
  }
  progress->due_us = progress->round_us + pace_.value_every_us;
  return std::nullopt;
}

std::optional<Request> Reader::NextFor(const Model& model, uint16_t device, Progress* progress, int64_t now_us) {
  if (progress->busy) {
    if (now_us < progress->due_us) return std::nullopt;
    if (progress->repeats < kRepeats) {
      ++progress->repeats;
      ++counters_.repeated;
      return progress->request;
    }
    progress->busy = false;
    GiveUp(progress, false);
    if (progress->ask_again_us == 0) progress->ask_again_us = now_us + AskAgainAfter(progress);
    if (++progress->unanswered >= kDeafAfter) {
      progress->unanswered = 0;
      progress->deaf = true;
      ++counters_.deaf;
      // It may have been asked in a bad moment: when it speaks again, everything is open again.
      progress->absent.clear();
      return std::nullopt;
    }
  }
  progress->repeats = 0;
  if (progress->broke) {
    progress->broke = false;
    const bool soon = progress->broken_rounds < kBrokenRounds;
    if (soon) ++progress->broken_rounds;
    AskAgainAt(progress, now_us + (soon ? kAskBrokenAfter_us : AskAgainAfter(progress)));
  }
  if (progress->ask_again_us != 0 && now_us >= progress->ask_again_us) AskAgain(progress);
  if (!progress->discovered || progress->items_seen != model.device(device).items) {
    if (const auto request = NextFact(model, device, progress)) return request;
    progress->discovered = true;
    progress->items_seen = model.device(device).items;
  }
  return NextValue(model, device, progress, now_us);
}

std::optional<Request> Reader::Next(const Model& model, int64_t now_us) {
  looked_us_ = now_us;
  if (now_us < next_send_us_) {
    deadline_us_ = next_send_us_;
    return std::nullopt;
  }
  int64_t due_us = kNoDeadline;
  const auto count = static_cast<uint16_t>(devices_.size());
  for (uint16_t i = 0; i < count; ++i) {
    const auto at = static_cast<uint16_t>((turn_ + i) % count);
    const BusDevice& device = model.device(at);
    Progress& progress = devices_[at];
    if (!device.used || !device.established || progress.deaf || progress.address != device.address) continue;
    const std::optional<Request> request = NextFor(model, at, &progress, now_us);
    if (!request) {
      if (!progress.deaf) due_us = std::min(due_us, DueOf(progress));
      continue;
    }
    turn_ = static_cast<uint16_t>((at + 1) % count);
    progress.busy = true;
    progress.request = *request;
    progress.due_us = now_us + kAnswerTimeout_us;
    next_send_us_ = deadline_us_ = now_us + pace_.gap_us;
    ++counters_.asked;
    return request;
  }
  deadline_us_ = due_us;
  return std::nullopt;
}

void Reader::LinkReset() {
  for (Progress& one : devices_) {
    one.busy = false;
    one.segment = 0;
    one.repeats = 0;
  }
  deadline_us_ = looked_us_ + pace_.gap_us;
}

}  // namespace vesta::masterbus
