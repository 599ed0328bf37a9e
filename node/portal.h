// The node's own page: what the node does, and forms for its name, its secret and its configuration. HTTP as a state
// machine: bytes of a connection in, bytes of the answer out, no I/O.
//
//   GET /            the page
//   POST /name       password, name
//   POST /secret     password, secret
//   POST /configuration   password, text
//
// Nothing is changed without the password, which is the first field of each form; until it was found right no byte of a
// later one is used. A wrong one makes every POST of the next seconds fail. A form is read as it comes: the
// configuration goes to its slot piece by piece, so a page costs the node no memory of that size. The secret is never
// shown. One request a connection, at most kMaxHead bytes before its body and kMaxForm in it; a connection that takes
// longer than kPortalTime_us is closed. Texts of the page are escaped.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "node/function.h"
#include "node/ports/tcp_port.h"
#include "node/settings.h"

namespace vesta::node {

inline constexpr size_t kMaxHead = 4096;            // a browser's cookies of other pages of this host are among it
inline constexpr size_t kMaxForm = 3 * 4096 + 512;  // a configuration with each byte escaped
inline constexpr size_t kMinPassword = 8;
inline constexpr size_t kMaxPassword = 64;
inline constexpr int64_t kPortalTime_us = int64_t{10} * 1000000;
inline constexpr int64_t kWrongPassword_us = int64_t{3} * 1000000;

// What the page needs of the node.
class PortalHost {
 public:
  virtual ~PortalHost() = default;
  virtual const NodeStatus& portal_status() = 0;
  virtual size_t ReadConfigurationText(uint32_t offset, std::span<uint8_t> out) = 0;  // the active one
  virtual Settings ReadBoardSettings() = 0;
  virtual bool WriteBoardSettings(const Settings& settings) = 0;  // the node begins anew with them
  // A new configuration, in pieces. EndConfigurationText: false, and problem says why it is not used.
  virtual bool BeginConfigurationText() = 0;
  virtual bool WriteConfigurationText(uint32_t offset, std::span<const uint8_t> bytes) = 0;
  virtual bool EndConfigurationText(uint32_t size, Problem* problem) = 0;
};

// A form's body, byte by byte: `name=value&...`, percent escapes.
class FormReader {
 public:
  enum class Step : uint8_t { kNothing, kName, kByte, kEnd, kBad };
  // kName: a field begins, name() is its name. kByte: byte() is the next of its value. kEnd: it is whole.
  Step Take(uint8_t in);
  Step Finish();  // behind the last byte: kEnd when a field was open
  std::string_view name() const { return {name_.data(), name_size_}; }
  uint8_t byte() const { return byte_; }

 private:
  static constexpr size_t kMaxFieldName = 16;
  std::array<char, kMaxFieldName> name_ = {};
  uint8_t name_size_ = 0;
  uint8_t byte_ = 0;
  uint8_t escape_ = 0;  // digits of an escape that are still to come
  bool is_value_ = false;
};

class Portal {
 public:
  // The password outlives the portal; one shorter than kMinPassword lets nobody change anything.
  explicit Portal(std::string_view password) : password_(password) {}

  // Moves the connection at hand on.
  void Run(int64_t now_us, TcpPort& port, PortalHost& host);

  // The same in its parts, for who has no port: a new connection, bytes of it, and what is to be sent.
  void Open(int64_t now_us);
  void Receive(std::span<const uint8_t> bytes, int64_t now_us, PortalHost& host);
  std::span<const uint8_t> Transmit(PortalHost& host);  // empty: nothing now
  void Transmitted(size_t count);
  bool is_done() const { return state_ == State::kDone && out_at_ == out_size_; }  // all is sent: close it
  uint32_t wrong_passwords() const { return wrong_passwords_; }

 private:
  enum class State : uint8_t { kHead, kBody, kAnswer, kDone };
  enum class Target : uint8_t { kPage, kName, kSecret, kConfiguration };
  enum class Field : uint8_t { kOther, kPassword, kName, kSecret, kText };

  void TakeHead(uint8_t byte, int64_t now_us);
  void EndOfLine();
  void EndOfHead(int64_t now_us);
  void TakeBody(uint8_t byte, int64_t now_us, PortalHost& host);
  void Handle(FormReader::Step step, int64_t now_us, PortalHost& host);
  void TakeValue(uint8_t byte, PortalHost& host);
  void EndOfField(int64_t now_us);
  void Flush(PortalHost& host);
  void EndOfForm(PortalHost& host);
  void Answer(uint16_t status, std::string_view text);
  bool NextPiece(PortalHost& host);
  void Put(std::string_view text);
  void PutEscaped(std::string_view text);
  void PutNumber(int64_t number);

  const std::string_view password_;
  State state_ = State::kDone;
  Target target_ = Target::kPage;
  Field field_ = Field::kOther;
  bool is_post_ = false;
  bool is_first_line_ = true;
  bool is_allowed_ = false;  // the password was right
  bool has_length_ = false;
  bool is_form_ = false;
  bool is_full_ = false;  // a field is longer than may be
  int64_t open_us_ = 0;
  int64_t locked_until_us_ = INT64_MIN;
  uint32_t wrong_passwords_ = 0;
  size_t head_size_ = 0;
  size_t length_ = 0;
  size_t taken_ = 0;
  FormReader form_;
  // A line of the head (its beginning, if it is longer), then a field's value.
  std::array<char, 160> line_ = {};
  size_t line_size_ = 0;
  uint32_t text_size_ = 0;
  bool is_storing_ = false;

  uint16_t status_ = 0;
  Problem message_;
  uint8_t piece_ = 0;
  uint32_t piece_at_ = 0;
  std::array<char, 512> out_ = {};
  size_t out_size_ = 0;
  size_t out_at_ = 0;
};

}  // namespace vesta::node
