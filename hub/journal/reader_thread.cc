#include "hub/journal/reader_thread.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "hub/journal/journal.h"

namespace vesta::hub {
namespace {

// Answers every call with one error.
class FailingReader final : public StoreReader {
 public:
  explicit FailingReader(StoreError error) : error_(std::move(error)) {}

  tl::expected<RecordBatch, StoreError> ReadJournal(JournalNumber, size_t) override { return Fail(); }
  tl::expected<RecordBatch, StoreError> ReadRange(SeriesId, UtcUs, UtcUs, size_t) override { return Fail(); }
  tl::expected<RecordBatch, StoreError> ReadThinned(SeriesId, UtcUs, UtcUs, size_t, uint64_t* total) override {
    *total = 0;
    return Fail();
  }
  tl::expected<RecordBatch, StoreError> ReadAtOrBefore(SeriesId, UtcUs) override { return Fail(); }
  tl::expected<std::vector<RollupBucket>, StoreError> ReadRollups(SeriesId, RollupLevel, UtcUs, UtcUs,
                                                                  size_t) override {
    return Fail();
  }
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadSelected(const FrameSelection&, size_t) override {
    return tl::unexpected(error_);
  }
  tl::expected<uint64_t, StoreError> CountSelected(const FrameSelection&) override { return tl::unexpected(error_); }
  tl::expected<std::vector<ArchivedFrame>, StoreError> ReadFrames(const std::string&, bool, FrameId, size_t) override {
    return Fail();
  }
  tl::expected<RecordBatch, StoreError> ReadFrameRecords(FrameId) override { return Fail(); }
  tl::expected<std::vector<ArchiveStats>, StoreError> ReadArchiveStats() override { return Fail(); }

 private:
  tl::unexpected<StoreError> Fail() const { return tl::unexpected<StoreError>(error_); }
  StoreError error_;
};

}  // namespace

ReaderThread::ReaderThread(boost::asio::io_context& io, Store& store, const char* name)
    : io_(io), store_(store), worker_(name, kMaxReadRequests) {}

StoreReader& ReaderThread::Reader() {
  if (closing_.load()) {
    failing_ = std::make_unique<FailingReader>(StoreError{StoreErrorKind::kOther, "the hub is stopping"});
    return *failing_;
  }
  if (reader_ == nullptr) {
    auto reader = store_.OpenReader();
    if (!reader) {
      failing_ = std::make_unique<FailingReader>(reader.error());
      return *failing_;
    }
    reader_ = std::move(*reader);
  }
  return *reader_;
}

bool ReaderThread::Post(std::function<void(StoreReader&)> work, std::function<void()> done) {
  // Shared, so that the refused request below is the same one.
  auto request = std::make_shared<std::pair<std::function<void(StoreReader&)>, std::function<void()>>>(std::move(work),
                                                                                                       std::move(done));
  // The guard keeps the io_context running until the answer is posted.
  const bool taken = worker_.Post([this, request, guard = boost::asio::make_work_guard(io_)] {
    request->first(Reader());
    boost::asio::post(io_, [request] { request->second(); });
  });
  if (taken) return true;
  FailingReader failing({StoreErrorKind::kBusy, "too many queries wait: try again later"});
  request->first(failing);
  boost::asio::post(io_, [request] { request->second(); });
  return false;
}

void ReaderThread::Close() {
  closing_.store(true);
  worker_.Stop();
  reader_.reset();
}

}  // namespace vesta::hub
