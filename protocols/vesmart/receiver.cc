#include "protocols/vesmart/receiver.h"

#include <algorithm>
#include <iterator>

namespace vesta::vesmart {
namespace {

constexpr const char* kOutcomeNames[] = {
    "malformed",       "foreign_group", "overflow_recorded", "auth_failed",
    "no_overflow_yet", "decoded",       "duplicate",         "no_room",
};
static_assert(std::size(kOutcomeNames) == static_cast<size_t>(Outcome::kCountOfOutcomes));

uint8_t GroupOf(uint16_t network) { return static_cast<uint8_t>(network >> 8); }

}  // namespace

const char* OutcomeName(Outcome outcome) { return kOutcomeNames[static_cast<size_t>(outcome)]; }

Outcome Receiver::Receive(Bytes manufacturer_data, const victron::KeyRing& ring, Message* message) {
  const std::optional<Advert> advert = ParseAdvert(manufacturer_data);
  if (!advert) return Outcome::kMalformed;
  if (revision_ != ring.revision()) TakeKeys(ring);
  message->serial = advert->serial;
  return advert->op == kOpOverflow ? TakeOverflow(*advert, message) : TakeMessage(*advert, message);
}

void Receiver::TakeKeys(const victron::KeyRing& ring) {
  revision_ = ring.revision();
  const auto* old_end = networks_.data() + network_count_;
  const auto is_known = [this, old_end](const victron::Network& network) {
    return std::any_of(static_cast<const Network*>(networks_.data()), static_cast<const Network*>(old_end),
                       [&network](const Network& old) { return old.id == network.id && old.key == network.key; });
  };
  // What was heard under a key that is gone is void.
  const auto is_void = [&ring, &is_known](const Sender& sender) {
    for (const victron::Network& network : ring.networks()) {
      if (network.id == sender.network && is_known(network)) return false;
    }
    return true;
  };
  auto* const end = std::remove_if(senders_.data(), senders_.data() + sender_count_, is_void);
  sender_count_ = static_cast<size_t>(end - senders_.data());
  network_count_ = 0;
  for (const victron::Network& network : ring.networks()) {
    Network& own = networks_[network_count_];
    own.id = network.id;
    own.key = network.key;
    if (own.cipher.SetKey(network.key)) ++network_count_;
  }
}

Receiver::Sender* Receiver::FindSender(uint16_t network, const std::array<uint8_t, 4>& serial) {
  for (size_t i = 0; i < sender_count_; ++i) {
    if (senders_[i].network == network && senders_[i].serial == serial) return &senders_[i];
  }
  return nullptr;
}

Outcome Receiver::TakeOverflow(const Advert& advert, Message* message) {
  Outcome outcome = Outcome::kForeignGroup;
  for (size_t i = 0; i < network_count_; ++i) {
    Network& network = networks_[i];
    if (GroupOf(network.id) != advert.group) continue;
    outcome = Outcome::kAuthFailed;
    const Nonce nonce = MakeNonce(kOpOverflow, advert.sequence, advert.overflow, advert.serial, network.id);
    if (!network.cipher.Decrypt(nonce, {}, {}, advert.tag, clear_.data())) continue;
    Sender* sender = FindSender(network.id, advert.serial);
    if (sender == nullptr) {
      if (sender_count_ == kMaxSenders) return Outcome::kNoRoom;
      sender = &senders_[sender_count_++];
      *sender = {};
      sender->network = network.id;
      sender->serial = advert.serial;
    }
    if (sender->overflow != advert.overflow) sender->sequence_count = 0;
    sender->overflow = advert.overflow;
    message->network = network.id;
    message->overflow = advert.overflow;
    return Outcome::kOverflowRecorded;
  }
  return outcome;
}

Outcome Receiver::TakeMessage(const Advert& advert, Message* message) {
  Outcome outcome = Outcome::kForeignGroup;
  for (size_t i = 0; i < network_count_; ++i) {
    Network& network = networks_[i];
    if (GroupOf(network.id) != advert.group) continue;
    Sender* sender = FindSender(network.id, advert.serial);
    if (sender == nullptr) {
      if (outcome == Outcome::kForeignGroup) outcome = Outcome::kNoOverflowYet;
      continue;
    }
    const Nonce nonce = MakeNonce(kOpMessage, advert.sequence, sender->overflow, advert.serial, network.id);
    if (!network.cipher.Decrypt(nonce, {}, advert.body, advert.tag, clear_.data())) {
      outcome = Outcome::kAuthFailed;
      continue;
    }
    message->network = network.id;
    message->overflow = sender->overflow;
    message->cleartext = {clear_.data(), advert.body.size()};
    const size_t known = std::min(sender->sequence_count, kRememberedSequences);
    if (std::find(sender->sequences.begin(), sender->sequences.begin() + known, advert.sequence) !=
        sender->sequences.begin() + known) {
      return Outcome::kDuplicate;
    }
    sender->sequences[sender->sequence_count++ % kRememberedSequences] = advert.sequence;
    return Outcome::kDecoded;
  }
  return outcome;
}

}  // namespace vesta::vesmart
