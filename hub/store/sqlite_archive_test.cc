// The archive of raw frames: quotas by sender, rejected frames read again, new verdicts, and files of format 1.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "hub/store/sqlite_schema.h"
#include "hub/store/sqlite_store.h"
#include "hub/store/temporary_store.h"

namespace vesta::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UtcUs kStart_us = 1754900000 * kUsPerSecond;

class SqliteArchiveTest : public ::testing::Test {
 protected:
  void Open(SqliteStoreOptions options = {}) {
    store_.reset();
    store_ = OpenStore(path_, std::move(options));
  }
  std::unique_ptr<StoreReader> Reader() { return std::move(*store_->OpenReader()); }
  void Commit(const CommitUnit& unit) {
    const auto done = store_->Commit(unit);
    ASSERT_TRUE(done.has_value()) << done.error().text;
  }
  // Counts rows through another connection, as a user would with sqlite3.
  int64_t Count(const std::string& sql) {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READONLY, "");
    return db->Integer(sql.c_str()).value();
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.File("vesta.db");
  std::unique_ptr<SqliteStore> store_;
};

ArchivedFrame RejectedFrame(FrameId id, uint64_t sender, const std::string& reason = "no_key", size_t size = 20) {
  ArchivedFrame frame;
  frame.id = id;
  frame.source = "radio";
  frame.received_us = kStart_us + static_cast<int64_t>(id);
  frame.clock = ClockQuality::kSynchronised;
  frame.verdict = FrameVerdict::kRejected;
  frame.reason = reason;
  frame.sender = sender;
  frame.bytes.assign(size, static_cast<uint8_t>(id));
  return frame;
}

std::vector<FrameId> Ids(const tl::expected<std::vector<ArchivedFrame>, StoreError>& frames) {
  std::vector<FrameId> ids;
  for (const ArchivedFrame& frame : frames.value()) ids.push_back(frame.id);
  return ids;
}

TEST_F(SqliteArchiveTest, AFileOfFormat1IsBroughtUpToDateAndLosesNothing) {
  std::ifstream in(std::string(VESTA_SOURCE_DIR) + "/hub/store/testing/store_v1.sql");
  const std::string sql((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  {
    auto db = SqliteDb::Open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
    ASSERT_EQ(db->Execute(sql.c_str()), SQLITE_OK);
  }
  for (int i = 0; i < 2; ++i) {  // and the second time it is as good as new
    Open();
    EXPECT_EQ(Count("PRAGMA user_version"), kStoreVersion);
    EXPECT_EQ(Reader()->ReadJournal(0, 10)->records.at(0).number, 5u);
    EXPECT_THAT(Ids(Reader()->ReadFrames("", false, 0, 10)), ElementsAre(3u, 2u, 1u));
    EXPECT_EQ(Reader()->ReadFrameRecords(2)->records.size(), 1u);
    EXPECT_EQ(Count("SELECT sum(frames) FROM frame_class WHERE reason = 'crc' AND sender = 0"), 2);
    EXPECT_EQ(store_->Restore()->reserved_numbers_end, 100u);
  }
  // The same tables as a new file has, but for the order of what the text says of them.
  auto fresh = OpenStore(folder_.File("new.db"));
  const char* columns = "SELECT sum(1) FROM sqlite_master m JOIN pragma_table_info(m.name) i WHERE m.type = 'table'";
  EXPECT_EQ(Count(columns), SqliteDb::Open(folder_.File("new.db"), SQLITE_OPEN_READONLY, "")->Integer(columns).value());
  CommitUnit unit;
  unit.frames = {RejectedFrame(7, 0xC0FFEE112233)};
  Commit(unit);
  EXPECT_EQ(Reader()->ReadFrames("radio", true, 0, 1)->at(0).sender, 0xC0FFEE112233u);
}

TEST_F(SqliteArchiveTest, RejectedFramesOfASenderAreReadInOrderAndInSlices) {
  Open();
  CommitUnit unit;
  for (FrameId id = 1; id <= 30; ++id) {
    unit.frames.push_back(RejectedFrame(id, id % 3 + 1, id % 2 == 0 ? "no_key" : "key_mismatch"));
  }
  Commit(unit);
  FrameSelection selection{"radio", 2, {"no_key", "key_mismatch"}, 0};
  EXPECT_THAT(Ids(Reader()->ReadSelected(selection, 4)), ElementsAre(1u, 4u, 7u, 10u));
  selection.after = 10;
  EXPECT_THAT(Ids(Reader()->ReadSelected(selection, 100)), ElementsAre(13u, 16u, 19u, 22u, 25u, 28u));
  selection = {"radio", 2, {"no_key"}, 0};
  const auto frames = Reader()->ReadSelected(selection, 100);
  EXPECT_THAT(Ids(frames), ElementsAre(4u, 10u, 16u, 22u, 28u));
  EXPECT_EQ(frames->at(0).clock, ClockQuality::kSynchronised);
  EXPECT_EQ(frames->at(0).reason, "no_key");
  selection = {"radio", 0, {"no_key"}, 20};
  EXPECT_THAT(Ids(Reader()->ReadSelected(selection, 100)), ElementsAre(22u, 24u, 26u, 28u, 30u));
  selection = {"other", 0, {"no_key"}, 0};
  EXPECT_THAT(Ids(Reader()->ReadSelected(selection, 100)), IsEmpty());
}

TEST_F(SqliteArchiveTest, AMarkedFrameIsNotRejectedAnyMore) {
  Open();
  CommitUnit unit;
  for (FrameId id = 1; id <= 5; ++id) unit.frames.push_back(RejectedFrame(id, 9));
  Commit(unit);
  CommitUnit marked;
  marked.marks = {
      {2, FrameVerdict::kAccepted, ""}, {4, FrameVerdict::kAccepted, ""}, {77, FrameVerdict::kAccepted, ""}};
  Commit(marked);
  EXPECT_THAT(Ids(Reader()->ReadSelected({"radio", 9, {"no_key"}, 0}, 100)), ElementsAre(1u, 3u, 5u));
  EXPECT_EQ(Count("SELECT frames FROM frame_class WHERE verdict = 0 AND sender = 9"), 2);
  EXPECT_EQ(Count("SELECT bytes FROM frame_class WHERE verdict = 1 AND sender = 9"), 60);
  Open();
  EXPECT_THAT(Ids(Reader()->ReadSelected({"radio", 9, {"no_key"}, 0}, 100)), ElementsAre(1u, 3u, 5u));
}

TEST_F(SqliteArchiveTest, AFloodOfOneSenderOrOfInventedOnesEvictsNoOther) {
  SqliteStoreOptions options;
  options.archive_class_bytes = 4096;
  options.archive_total_bytes = 512 * 1024;
  Open(options);
  CommitUnit wanted;
  for (FrameId id = 1; id <= 30; ++id) wanted.frames.push_back(RejectedFrame(id, 0xAAAA));
  Commit(wanted);
  FrameId id = 31;
  for (int round = 0; round < 20; ++round) {
    CommitUnit flood;
    for (int i = 0; i < 500; ++i, ++id) flood.frames.push_back(RejectedFrame(id, i % 2 == 0 ? 0xBBBB : 0x10000 + id));
    Commit(flood);
  }
  EXPECT_EQ(Ids(Reader()->ReadSelected({"radio", 0xAAAA, {"no_key"}, 0}, 100)).size(), 30u);
  EXPECT_EQ(Count("SELECT count(*) FROM frame_class WHERE sender <> 0"), static_cast<int64_t>(kMaxArchiveSenders));
  EXPECT_LE(Count("SELECT max(bytes + frames * 64) FROM frame_class"), 4096);
  EXPECT_EQ(Count("SELECT sum(frames) FROM frame_class"), Count("SELECT count(*) FROM frame"));
  // One that came too late for a quota of its own is kept among the others, and found by its address.
  CommitUnit late;
  late.frames = {RejectedFrame(id, 0xCCCC)};
  Commit(late);
  EXPECT_THAT(Ids(Reader()->ReadSelected({"radio", 0xCCCC, {"no_key"}, 0}, 100)), ElementsAre(id));
}

// A frame of a meter: most of it is as in the one before.
ArchivedFrame MeterFrame(FrameId id) {
  ArchivedFrame frame = RejectedFrame(id, 0);
  frame.source = "meter";
  frame.verdict = FrameVerdict::kAccepted;
  frame.reason = "";
  const std::string text =
      fmt::format("/XMX5LGBBFG1009012345 1-0:1.8.1({:010.3f}*kWh) 1-0:1.7.0({:06.3f}*kW) 1-0:32.7.0({:05.1f}*V)!{:04X}",
                  1000 + static_cast<double>(id) * 0.001, static_cast<double>(id % 7) * 0.311,
                  229 + static_cast<double>(id % 31) * 0.1, id * 7919 % 65536);
  frame.bytes.assign(text.begin(), text.end());
  return frame;
}

TEST_F(SqliteArchiveTest, FramesOfASourceAreCompressedOnceEnoughOfThemAreThere) {
  Open();
  CommitUnit first;
  for (FrameId id = 1; id <= 400; ++id) first.frames.push_back(MeterFrame(id));
  Commit(first);
  EXPECT_EQ(Count("SELECT count(*) FROM frame_dictionary"), 0);
  while (*store_->FoldStep()) {
  }
  ASSERT_EQ(Count("SELECT count(*) FROM frame_dictionary WHERE length(bytes) > 0"), 1);
  Open();  // the dictionary outlives the program
  CommitUnit second;
  for (FrameId id = 401; id <= 500; ++id) second.frames.push_back(MeterFrame(id));
  Commit(second);
  EXPECT_EQ(Count("SELECT count(*) FROM frame WHERE dictionary = 1"), 100);
  EXPECT_LT(Count("SELECT sum(length(bytes)) FROM frame WHERE id > 400") * 2,
            Count("SELECT sum(length(bytes)) FROM frame WHERE id <= 100"));
  EXPECT_EQ(Count("SELECT bytes FROM frame_class"), Count("SELECT sum(length(bytes)) FROM frame"));
  const auto frames = Reader()->ReadFrames("meter", false, 0, 500);
  ASSERT_EQ(frames->size(), 500u);
  for (const ArchivedFrame& frame : *frames) EXPECT_EQ(frame.bytes, MeterFrame(frame.id).bytes);
  FrameSelection all;
  all.source = "meter";
  EXPECT_EQ(*Reader()->CountSelected(all), 0u) << "none was rejected";
  all.accepted = true;
  EXPECT_EQ(*Reader()->CountSelected(all), 500u);
  all.after = 398;
  all.before = 403;
  EXPECT_THAT(Ids(Reader()->ReadSelected(all, 100)), ElementsAre(399u, 400u, 401u, 402u));
}

TEST_F(SqliteArchiveTest, HowFarTheArchiveIsDecodedAgainIsInTheSameCommit) {
  Open();
  CommitUnit unit;
  unit.decoders = {{1, "meter", 1, 10, "vesta 1 p1", "fields/1"}, {2, "meter", 9, 20, "vesta 2 p1", "fields/2"}};
  unit.redecodes = {{"meter", 2, 7, 500, 0, false}};
  Commit(unit);
  CommitUnit further;
  further.redecodes = {{"meter", 2, 7, 500, 128, false}};
  Commit(further);
  Open();
  const auto state = store_->Restore();
  ASSERT_EQ(state->redecodes.size(), 1u);
  EXPECT_EQ(state->redecodes[0].after, 128u);
  EXPECT_EQ(state->redecodes[0].first_series, 7u);
  EXPECT_EQ(state->redecodes[0].frames_end, 500u);
  EXPECT_FALSE(state->redecodes[0].done);
}

}  // namespace
}  // namespace vesta::hub
