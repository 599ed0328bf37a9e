// One connection to a PostgreSQL server, for one thread at a time; every wait has an end.
//
// Calls block their thread, but never longer than the server takes to be given up on (kAnswerLimit_us without a byte),
// and end at once when the stop flag is set. An error text names the server and never a secret. After an error that
// broke the link, lost() is true and the connection is to be opened anew: what was not committed is gone there.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "hub/postgres/pq_library.h"
#include "hub/store/store.h"

namespace vesta::hub::postgres {

struct ServerSettings {
  std::string url;       // postgresql://user@host:port/database?sslmode=...; no password in it
  std::string password;  // "": none, or what libpq finds (~/.pgpass)
  std::string schema;    // all tables are in it: SchemaOfHub
};

// Time for the whole of a log-in; and without a byte from a server that was asked something.
inline constexpr int64_t kConnectLimit_us = 10 * kUsPerSecond;
inline constexpr int64_t kAnswerLimit_us = 120 * kUsPerSecond;

// Rows of an answer; a value is text, or bytes in network order where binary was asked for.
class Answer {
 public:
  Answer() = default;
  Answer(const PqLibrary* pq, PGresult* result) : pq_(pq), result_(result) {}
  ~Answer() {
    if (result_ != nullptr) pq_->clear(result_);
  }
  Answer(Answer&& other) noexcept : pq_(other.pq_), result_(other.result_) { other.result_ = nullptr; }
  Answer& operator=(Answer&& other) noexcept {
    std::swap(pq_, other.pq_);
    std::swap(result_, other.result_);
    return *this;
  }

  int rows() const { return result_ == nullptr ? 0 : pq_->ntuples(result_); }
  bool IsNull(int row, int column) const { return pq_->getisnull(result_, row, column) != 0; }
  std::string_view Bytes(int row, int column) const {
    return {pq_->getvalue(result_, row, column), static_cast<size_t>(pq_->getlength(result_, row, column))};
  }
  std::string Text(int row, int column) const { return std::string(Bytes(row, column)); }
  int64_t Integer(int row, int column) const;  // of a text answer; 0 for NULL
  bool Boolean(int row, int column) const { return Bytes(row, column) == "t"; }
  uint64_t changed() const;  // rows that a statement changed

 private:
  const PqLibrary* pq_ = nullptr;
  PGresult* result_ = nullptr;
};

// Parameters stand in SQL as $1, $2, ... and travel as text.
using Parameters = std::vector<std::string>;

class Connection {
 public:
  explicit Connection(ServerSettings settings, const std::atomic<bool>* stop = nullptr)
      : settings_(std::move(settings)), stop_(stop) {}
  ~Connection() { Close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The search path is the schema afterwards, whether it is there or not.
  tl::expected<void, StoreError> Open();
  void Close();
  bool is_open() const { return connection_ != nullptr; }
  // The link broke: Open again.
  bool lost() const;

  tl::expected<Answer, StoreError> Ask(const std::string& sql, const Parameters& parameters = {});
  // Row by row, binary; memory is one row. take(answer) looks at row 0 of it and returns false when it has enough: the
  // rest is read and thrown away.
  tl::expected<void, StoreError> Stream(const std::string& sql, const Parameters& parameters,
                                        const std::function<bool(const Answer&)>& take);
  // COPY ... FROM STDIN (FORMAT binary).
  tl::expected<void, StoreError> CopyIn(const std::string& sql, std::string_view data);

  const ServerSettings& settings() const { return settings_; }

 private:
  tl::expected<void, StoreError> Wait(bool for_writing, int64_t limit_us);
  tl::expected<void, StoreError> Send(const std::string& sql, const Parameters& parameters, bool binary);
  tl::expected<PGresult*, StoreError> Next();  // nullptr: no more
  tl::expected<void, StoreError> ReadToEnd(Answer* last);
  StoreError Broken(std::string_view why);
  StoreError Refused(const PGresult* result) const;

  ServerSettings settings_;
  const std::atomic<bool>* stop_;
  const PqLibrary* pq_ = nullptr;
  PGconn* connection_ = nullptr;
};

// "vesta_<hub id>": each hub has a schema of its own, so that many share a database.
std::string SchemaOfHub(std::string_view hub_id);
// "name" in double quotes.
std::string QuotedName(std::string_view name);
// "host:port/database" for people: what a URL says, without user and password.
std::string PlaceOfUrl(std::string_view url);
bool IsPostgresUrl(std::string_view text);

}  // namespace vesta::hub::postgres
