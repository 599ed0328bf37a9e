#include "hub/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

namespace vesta::hub::postgres {
namespace {

constexpr int kOldestServer = 140000;
constexpr int kLookAtStop_ms = 100;
constexpr size_t kCopyPiece = 64 * 1024;

int64_t SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string FirstLine(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace

int64_t Answer::Integer(int row, int column) const {
  const std::string_view text = Bytes(row, column);
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

uint64_t Answer::changed() const {
  const std::string_view text = result_ == nullptr ? "" : pq_->cmd_tuples(result_);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void Connection::Close() {
  if (connection_ != nullptr) pq_->finish(connection_);
  connection_ = nullptr;
}

bool Connection::lost() const { return connection_ == nullptr || pq_->status(connection_) == CONNECTION_BAD; }

StoreError Connection::Broken(std::string_view why) {
  std::string text = fmt::format("PostgreSQL at {}: {}", PlaceOfUrl(settings_.url), why);
  Close();
  return {StoreErrorKind::kIo, std::move(text)};
}

StoreError Connection::Refused(const PGresult* result) const {
  const char* const state = pq_->result_error_field(result, PG_DIAG_SQLSTATE);
  const char* const message = pq_->result_error_field(result, PG_DIAG_MESSAGE_PRIMARY);
  StoreError error;
  if (state != nullptr && std::strncmp(state, "53100", 5) == 0) error.kind = StoreErrorKind::kDiskFull;
  if (state != nullptr && std::strncmp(state, "25006", 5) == 0) error.kind = StoreErrorKind::kReadOnly;
  error.text = fmt::format("PostgreSQL at {}: {}", PlaceOfUrl(settings_.url),
                           message == nullptr ? FirstLine(pq_->result_error_message(result)) : message);
  return error;
}

tl::expected<void, StoreError> Connection::Wait(bool for_writing, int64_t limit_us) {
  const int64_t end_us = SteadyUs() + limit_us;
  while (true) {
    if (stop_ != nullptr && stop_->load(std::memory_order_relaxed))
      return tl::unexpected(Broken("the hub is stopping"));
    pollfd place{pq_->socket(connection_), static_cast<short>(POLLIN | (for_writing ? POLLOUT : 0)), 0};
    const int ready = poll(&place, 1, kLookAtStop_ms);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return tl::unexpected(Broken(std::strerror(errno)));
    if (SteadyUs() > end_us) return tl::unexpected(Broken("no answer"));
  }
}

tl::expected<void, StoreError> Connection::Open() {
  Close();
  std::string missing;
  pq_ = LoadPq(&missing);
  if (pq_ == nullptr) return tl::unexpected(StoreError{StoreErrorKind::kOther, missing});
  char* parse_error = nullptr;
  PQconninfoOption* const options = pq_->conninfo_parse(settings_.url.c_str(), &parse_error);
  if (options == nullptr) {
    // libpq's own text would repeat the URL.
    if (parse_error != nullptr) pq_->freemem(parse_error);
    return tl::unexpected(StoreError{StoreErrorKind::kOther, "the URL of the PostgreSQL database can't be read"});
  }
  pq_->conninfo_free(options);
  // Keepalives: a peer that is gone without a word is noticed within a minute.
  std::vector<const char*> names = {"dbname",          "application_name",    "client_encoding",
                                    "keepalives_idle", "keepalives_interval", "keepalives_count"};
  std::vector<const char*> values = {settings_.url.c_str(), "vesta", "UTF8", "30", "10", "3"};
  if (!settings_.password.empty()) {
    names.push_back("password");
    values.push_back(settings_.password.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = pq_->connect_start_params(names.data(), values.data(), 1);
  if (connection_ == nullptr) return tl::unexpected(StoreError{StoreErrorKind::kOther, "out of memory"});
  const int64_t end_us = SteadyUs() + kConnectLimit_us;
  auto wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (pq_->status(connection_) == CONNECTION_BAD || wanted == PGRES_POLLING_FAILED) {
      return tl::unexpected(Broken(FirstLine(pq_->error_message(connection_))));
    }
    // Waiting for reading must not wake for writing, which is always possible.
    if (auto ready = Wait(wanted == PGRES_POLLING_WRITING, std::max<int64_t>(0, end_us - SteadyUs())); !ready) {
      return ready;
    }
    wanted = pq_->connect_poll(connection_);
  }
  pq_->set_notice_receiver(
      connection_, [](void*, const PGresult*) {}, nullptr);
  if (pq_->set_nonblocking(connection_, 1) != 0) return tl::unexpected(Broken("no memory"));
  if (pq_->server_version(connection_) < kOldestServer) {
    return tl::unexpected(Broken("the server is older than PostgreSQL 14"));
  }
  const auto path = Ask(fmt::format("SET search_path TO {}", QuotedName(settings_.schema)));
  if (!path) return tl::unexpected(path.error());
  // Durable means durable, whatever the database's own setting; times in answers are UTC.
  const auto set =
      Ask("SELECT set_config('TimeZone', 'UTC', false), set_config('synchronous_commit',"
          " CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
          " ELSE current_setting('synchronous_commit') END, false)");
  if (!set) return tl::unexpected(set.error());
  return {};
}

tl::expected<void, StoreError> Connection::Send(const std::string& sql, const Parameters& parameters, bool binary) {
  if (connection_ == nullptr) return tl::unexpected(StoreError{StoreErrorKind::kIo, "not connected"});
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (pq_->send_query_params(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                             nullptr, binary ? 1 : 0) == 0) {
    return tl::unexpected(Broken(FirstLine(pq_->error_message(connection_))));
  }
  return {};
}

// What is to be sent is sent meanwhile.
tl::expected<PGresult*, StoreError> Connection::Next() {
  while (true) {
    const int unsent = pq_->flush(connection_);
    if (unsent < 0) return tl::unexpected(Broken(FirstLine(pq_->error_message(connection_))));
    if (unsent == 0 && pq_->is_busy(connection_) == 0) return pq_->get_result(connection_);
    if (auto ready = Wait(unsent > 0, kAnswerLimit_us); !ready) return tl::unexpected(ready.error());
    if (pq_->consume_input(connection_) == 0) {
      return tl::unexpected(Broken(FirstLine(pq_->error_message(connection_))));
    }
  }
}

tl::expected<void, StoreError> Connection::ReadToEnd(Answer* last) {
  std::optional<StoreError> failed;
  while (true) {
    const auto next = Next();
    if (!next) return tl::unexpected(next.error());
    if (*next == nullptr) break;
    Answer answer(pq_, *next);
    const ExecStatusType status = pq_->result_status(*next);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && !failed) failed = Refused(*next);
    *last = std::move(answer);
  }
  if (failed) {
    if (lost()) return tl::unexpected(Broken(failed->text));
    return tl::unexpected(*failed);
  }
  return {};
}

tl::expected<Answer, StoreError> Connection::Ask(const std::string& sql, const Parameters& parameters) {
  if (auto sent = Send(sql, parameters, false); !sent) return tl::unexpected(sent.error());
  Answer answer;
  if (auto done = ReadToEnd(&answer); !done) return tl::unexpected(done.error());
  return answer;
}

tl::expected<void, StoreError> Connection::Stream(const std::string& sql, const Parameters& parameters,
                                                  const std::function<bool(const Answer&)>& take) {
  if (auto sent = Send(sql, parameters, true); !sent) return sent;
  pq_->set_single_row_mode(connection_);
  bool enough = false;
  while (true) {
    const auto next = Next();
    if (!next) return tl::unexpected(next.error());
    if (*next == nullptr) return {};
    Answer answer(pq_, *next);
    const ExecStatusType status = pq_->result_status(*next);
    if (status == PGRES_SINGLE_TUPLE) {
      if (!enough) enough = !take(answer);
    } else if (status != PGRES_TUPLES_OK) {
      const StoreError error = Refused(*next);
      Answer rest;
      static_cast<void>(ReadToEnd(&rest));
      return tl::unexpected(error);
    }
  }
}

tl::expected<void, StoreError> Connection::CopyIn(const std::string& sql, std::string_view data) {
  if (auto sent = Send(sql, {}, false); !sent) return sent;
  const auto begun = Next();
  if (!begun) return tl::unexpected(begun.error());
  {
    Answer answer(pq_, *begun);
    if (pq_->result_status(*begun) != PGRES_COPY_IN) {
      const StoreError error = Refused(*begun);
      Answer rest;
      static_cast<void>(ReadToEnd(&rest));
      return tl::unexpected(error);
    }
  }
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kCopyPiece);
    const int taken = pq_->put_copy_data(connection_, piece.data(), static_cast<int>(piece.size()));
    if (taken < 0) return tl::unexpected(Broken(FirstLine(pq_->error_message(connection_))));
    if (taken > 0) {
      data.remove_prefix(piece.size());
      continue;
    }
    if (auto ready = Wait(true, kAnswerLimit_us); !ready) return ready;
    if (pq_->flush(connection_) < 0 || pq_->consume_input(connection_) == 0) {
      return tl::unexpected(Broken(FirstLine(pq_->error_message(connection_))));
    }
  }
  int ended = 0;
  while ((ended = pq_->put_copy_end(connection_, nullptr)) == 0) {
    if (auto ready = Wait(true, kAnswerLimit_us); !ready) return ready;
  }
  if (ended < 0) return tl::unexpected(Broken(FirstLine(pq_->error_message(connection_))));
  Answer answer;
  return ReadToEnd(&answer);
}

std::string SchemaOfHub(std::string_view hub_id) { return "vesta_" + std::string(hub_id); }

std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + "\"";
}

bool IsPostgresUrl(std::string_view text) {
  return text.substr(0, 13) == "postgresql://" || text.substr(0, 11) == "postgres://";
}

std::string PlaceOfUrl(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('?'));
  // What stands before the last @ of the authority is user and password.
  const size_t at = url.substr(0, url.find('/')).rfind('@');
  if (at != std::string_view::npos) url.remove_prefix(at + 1);
  return url.empty() || url.front() == '/' ? "localhost" + std::string(url) : std::string(url);
}

}  // namespace vesta::hub::postgres
