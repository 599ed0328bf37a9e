#include "protocols/link/seal.h"

#include <algorithm>

#include "protocols/link/cursor.h"
#include "protocols/little_endian.h"

namespace vesta::link {

namespace {

constexpr size_t kAddressesSize = 12;
using Aad = std::array<uint8_t, kHeaderSize + kAddressesSize + kMaxBody>;

crypto::Nonce NonceOf(Direction direction, const Header& header) {
  crypto::Nonce nonce = {};
  nonce[0] = static_cast<uint8_t>(direction);
  wire::Put32(&nonce[4], header.session);
  wire::Put32(&nonce[8], header.counter);
  return nonce;
}

Bytes AadOf(Bytes header, const Addresses& addresses, Bytes clear, Aad* out) {
  Putter p(*out);
  p.Raw(header).Array(addresses.sender).Array(addresses.receiver).Raw(clear);
  return Bytes(*out).first(p.size());
}

template <size_t n>
Bytes Label(const char (&text)[n]) {
  return {reinterpret_cast<const uint8_t*>(text), n - 1};
}

}  // namespace

bool ReplayWindow::IsNew(uint32_t counter) const {
  if (counter == 0) return false;
  if (counter > highest_) return true;
  const uint32_t behind = highest_ - counter;
  return behind < kWidth && (seen_ >> behind & 1) == 0;
}

void ReplayWindow::Mark(uint32_t counter) {
  if (counter > highest_) {
    const uint32_t ahead = counter - highest_;
    seen_ = ahead >= kWidth ? 0 : seen_ << ahead;
    seen_ |= 1;
    highest_ = counter;
  } else if (highest_ - counter < kWidth) {
    seen_ |= uint64_t{1} << (highest_ - counter);
  }
}

size_t SealFrame(const Header& header, Direction direction, const Key& key, const Addresses& addresses, Bytes clear,
                 Bytes body, FrameBuffer* out) {
  const size_t size = kHeaderSize + clear.size() + body.size() + kTagSize;
  if (size > kMaxFrame) return 0;
  Header sealed = header;
  sealed.flags |= kFlagSealed;
  WriteHeader(sealed, out->data());
  std::copy(clear.begin(), clear.end(), out->data() + kHeaderSize);
  Aad aad;
  uint8_t* at = out->data() + kHeaderSize + clear.size();
  const std::span<uint8_t, kTagSize> tag(at + body.size(), kTagSize);
  const Bytes authenticated = AadOf(Bytes(*out).first(kHeaderSize), addresses, clear, &aad);
  return crypto::Seal(key, NonceOf(direction, header), authenticated, body, at, tag) ? size : 0;
}

size_t ClearFrame(const Header& header, Bytes body, FrameBuffer* out) {
  if (kHeaderSize + body.size() > kMaxFrame) return 0;
  WriteHeader(header, out->data());
  std::copy(body.begin(), body.end(), out->data() + kHeaderSize);
  return kHeaderSize + body.size();
}

bool OpenFrame(Bytes frame, const Header& header, Direction direction, const Key& key, const Addresses& addresses,
               size_t clear_size, std::span<uint8_t, kMaxBody> scratch, Bytes* body) {
  if (frame.size() > kMaxFrame || frame.size() < kHeaderSize + clear_size + kTagSize) return false;
  Aad aad;
  const Bytes authenticated = AadOf(frame.first(kHeaderSize), addresses, frame.subspan(kHeaderSize, clear_size), &aad);
  const Bytes sealed = frame.subspan(kHeaderSize + clear_size, frame.size() - kHeaderSize - clear_size - kTagSize);
  if (!crypto::Open(key, NonceOf(direction, header), authenticated, sealed, frame.last<kTagSize>(), scratch.data())) {
    return false;
  }
  *body = Bytes(scratch).first(sealed.size());
  return true;
}

Commit CommitOf(const Key& node_key, const Random16& node_random) {
  crypto::Sha256Stream stream;
  stream.Add(Label("vesta link commit"));
  stream.Add(node_key);
  stream.Add(node_random);
  const crypto::Digest digest = stream.Finish();
  Commit commit;
  std::copy_n(digest.begin(), commit.size(), commit.begin());
  return commit;
}

uint32_t SecretIdOf(const Secret& secret) {
  crypto::Sha256Stream stream;
  stream.Add(Label("vesta link secret id"));
  stream.Add(secret);
  const uint32_t id = wire::Get32(stream.Finish().data());
  return id == 0 ? 1 : id;
}

JoinKeys DeriveJoinKeys(const JoinTranscript& t, const Key& shared, const Secret& secret) {
  crypto::Sha256Stream stream;
  uint8_t network[2];
  wire::Put16(network, t.network);
  stream.Add(Label("vesta link join"));
  stream.Add(network);
  stream.Add(t.node);
  stream.Add(t.hub);
  stream.Add(t.cookie);
  stream.Add(t.node_key);
  stream.Add(t.hub_key);
  stream.Add(t.node_random);
  const crypto::Digest salt = stream.Finish();
  std::array<uint8_t, crypto::kKeySize + kSecretSize> material;
  Putter(material).Array(shared).Array(secret);
  JoinKeys keys;
  keys.root = crypto::HkdfExtract(salt, material);
  crypto::Wipe(material);
  std::array<uint8_t, 4> code;
  crypto::HkdfExpand(keys.root, Label("join"), keys.join);
  crypto::HkdfExpand(keys.root, Label("pair"), keys.pair);
  crypto::HkdfExpand(keys.root, Label("code"), code);
  constexpr uint32_t kSixDigits = 1000000;
  keys.code = wire::Get32(code.data()) % kSixDigits;
  return keys;
}

Key JoinKeys::SessionKey(uint32_t session) const {
  std::array<uint8_t, 11> info;
  Putter(info).Raw(Label("session")).U32(session);
  Key key;
  crypto::HkdfExpand(root, info, key);
  return key;
}

Key ResumeKey(const Key& pair) { return crypto::HmacSha256(pair, Label("resume")); }

Key ResumedSessionKey(const Key& pair, const Random16& node_random, const Random16& hub_random, uint32_t session) {
  std::array<uint8_t, 7 + 2 * kRandomSize + 4> text;
  Putter(text).Raw(Label("session")).Array(node_random).Array(hub_random).U32(session);
  return crypto::HmacSha256(pair, text);
}

crypto::Digest ManifestDigest(const BlobManifest& manifest) {
  std::array<uint8_t, kMaxBody> body;
  Write(manifest, body);
  crypto::Sha256Stream stream;
  stream.Add(Label("vesta link blob"));
  stream.Add(Bytes(body).first(kManifestSize - crypto::kSignatureSize));
  return stream.Finish();
}

}  // namespace vesta::link
