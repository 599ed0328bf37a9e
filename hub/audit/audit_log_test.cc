#include "hub/audit/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "hub/audit/audit_trail.h"
#include "hub/audit/audit_verify.h"
#include "hub/audit/sha256.h"

namespace vesta::hub {
namespace {

constexpr UtcUs kStart_us = 1786429285000000;

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vesta-audit-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~AuditTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string Path(std::string_view name = kAuditFile) const { return directory_ + "/" + std::string(name); }
  std::string Content(std::string_view name = kAuditFile) const { return *ReadAuditFile(Path(name)); }
  void Put(const std::string& content, std::string_view name = kAuditFile) const {
    std::ofstream(Path(name), std::ios::binary | std::ios::trunc) << content;
  }
  static AuditEntry Entry(const std::string& text) {
    AuditEntry entry;
    entry.time_us = kStart_us;
    entry.clock = ClockQuality::kSynchronised;
    entry.actor = "hub";
    entry.action = "note";
    entry.details = {{"text", text}};
    return entry;
  }
  void Append(AuditLog& log, const std::string& text) const {
    AuditEntry entry = Entry(text);
    const auto done = log.Append(entry);
    ASSERT_TRUE(done) << done.error();
  }
  void Fill(size_t entries, AuditLogOptions options = {.fsync = false}) const {
    AuditLog log(directory_, options);
    for (size_t i = 0; i < entries; ++i) Append(log, "entry " + std::to_string(log.last_number() + 1));
  }
  AuditReport Verify() const { return *VerifyAudit(directory_, std::nullopt); }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::istringstream in(Content());
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  void PutLines(const std::vector<std::string>& lines) const {
    std::string content;
    for (const std::string& line : lines) content += line + "\n";
    Put(content);
  }

  std::string directory_;
};

TEST_F(AuditTest, EntriesAreAChainThatIsWhole) {
  Fill(3);
  Fill(2);  // another run goes on where the last one was
  const AuditReport report = Verify();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.entries, 5u);
  EXPECT_EQ(report.first_number, 1u);
  EXPECT_EQ(report.last_number, 5u);
  EXPECT_TRUE(report.notes.empty());
  const auto entry = ParseEntry(Lines()[4]);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->time_us, kStart_us);
  EXPECT_EQ(entry->details[0].second, "entry 5");
}

TEST_F(AuditTest, TheHashCanBeWorkedOutByHand) {
  Fill(1);
  const std::string line = Lines()[0];
  const std::string content = line.substr(0, line.find(",\"hash\":\""));
  EXPECT_EQ(content,
            R"({"number":1,"time":"2026-08-11T06:21:25Z","clock":"synchronised","actor":"hub","action":"note",)"
            R"("details":{"text":"entry 1"},"previous":")" +
                std::string(64, '0') + "\"");
  EXPECT_EQ(line, content + ",\"hash\":\"" + Sha256Hex(content) + "\"}");
}

TEST_F(AuditTest, AnyByteChangedNamesItsEntry) {
  Fill(4);
  const std::string content = Content();
  uint64_t entry = 1;
  for (size_t at = 0; at < content.size(); ++at) {
    for (const char mask : {char{1}, char{0x20}, static_cast<char>(0x80)}) {
      std::string changed = content;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      Put(changed);
      const AuditReport report = Verify();
      ASSERT_FALSE(report.whole()) << "byte " << at;
      ASSERT_FALSE(report.faults.empty()) << "byte " << at;
      EXPECT_EQ(report.faults[0].number, entry) << "byte " << at << ": " << report.faults[0].what;
    }
    if (content[at] == '\n') ++entry;
  }
}

TEST_F(AuditTest, ACutTailIsFound) {
  Fill(4);
  std::vector<std::string> lines = Lines();
  lines.pop_back();
  PutLines(lines);
  AuditReport report = Verify();
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults[0].number, 4u);
  EXPECT_THAT(report.faults[0].what, ::testing::HasSubstr("the end was cut"));
  // And it stays found when the hub goes on: no number is used twice, and the log itself says what was found.
  Fill(2);
  report = Verify();
  EXPECT_FALSE(report.whole());
  EXPECT_EQ(report.faults[0].number, 4u);
  EXPECT_EQ(report.last_number, 7u);
  EXPECT_THAT(Content(), ::testing::HasSubstr("damage_found"));
}

TEST_F(AuditTest, AMissingHeadIsFound) {
  Fill(4);
  std::filesystem::remove(Path(kAuditHeadFile));
  EXPECT_FALSE(Verify().whole());
  Fill(1);
  EXPECT_FALSE(Verify().whole());
  EXPECT_THAT(Content(), ::testing::HasSubstr("damage_found"));
  const size_t told = Lines().size();
  Fill(1);  // told once
  EXPECT_EQ(Lines().size(), told + 1);
}

TEST_F(AuditTest, EntriesMovedDoubledAndLeftOutAreFound) {
  Fill(5);
  const std::vector<std::string> lines = Lines();
  auto changed = lines;
  std::swap(changed[1], changed[2]);
  PutLines(changed);
  EXPECT_EQ(Verify().faults.at(0).number, 2u);
  changed = lines;
  changed.insert(changed.begin() + 2, lines[1]);
  PutLines(changed);
  EXPECT_EQ(Verify().faults.at(0).number, 3u);
  changed = lines;
  changed.erase(changed.begin() + 3);
  PutLines(changed);
  EXPECT_EQ(Verify().faults.at(0).number, 4u);
  changed = lines;
  changed.erase(changed.begin());
  PutLines(changed);
  EXPECT_EQ(Verify().faults.at(0).number, 1u);
}

TEST_F(AuditTest, AForgedEntryWithARightHashDoesNotFit) {
  Fill(3);
  std::vector<std::string> lines = Lines();
  AuditEntry forged = *ParseEntry(lines[1]);
  forged.details = {{"text", "something else"}};
  std::string hash;
  lines[1] = FormatEntry(forged, ReadLink(lines[0])->hash, &hash);
  PutLines(lines);
  const AuditReport report = Verify();
  ASSERT_EQ(report.fault_count, 1u);
  EXPECT_EQ(report.faults[0].number, 3u);
}

TEST_F(AuditTest, AnAnchorKeptElsewhereTellsARewrittenLog) {
  Fill(3);
  const AuditReport before = Verify();
  const AuditAnchor anchor{before.last_number, before.last_hash};
  Fill(2);
  EXPECT_TRUE(VerifyAudit(directory_, anchor)->whole());
  std::filesystem::remove(Path());
  std::filesystem::remove(Path(kAuditHeadFile));
  {
    AuditLog log(directory_);
    for (int i = 0; i < 5; ++i) Append(log, "a nicer story");
  }
  EXPECT_TRUE(Verify().whole());
  EXPECT_FALSE(VerifyAudit(directory_, anchor)->whole());
}

// The power fails at every byte of the entry that is being written: audit.head still names the one before.
TEST_F(AuditTest, APowerCutAtAnyByteIsToldAndNothingIsRepaired) {
  Fill(3);
  const std::string before = Content();
  const std::string head = Content(kAuditHeadFile);
  Fill(1);
  const std::string after = Content();
  for (size_t size = before.size(); size <= after.size(); ++size) {
    const std::string cut = after.substr(0, size);
    Put(cut);
    Put(head, kAuditHeadFile);
    const bool torn = size > before.size() && size < after.size();
    EXPECT_EQ(Verify().whole(), !torn) << size;
    EXPECT_EQ(Verify().torn, torn) << size;
    EXPECT_EQ(Verify().fault_count, 0u) << size;
    Fill(2);
    const AuditReport report = Verify();
    ASSERT_TRUE(report.whole()) << size;
    EXPECT_EQ(Content().substr(0, size), cut) << "what was there was changed";
    EXPECT_EQ(Content().find("torn_line") != std::string::npos, torn) << size;
    // Where only the line end was missing the entry itself is whole.
    EXPECT_EQ(report.notes.empty() || report.notes[0].find("torn") == std::string::npos,
              !torn || size + 1 == after.size())
        << size;
  }
}

// A file system that lost its own order may leave zeros or old blocks behind the end, or a hole before it.
TEST_F(AuditTest, WhatTheDiskPutBehindItOrInItIsNamedByItsLine) {
  Fill(4);
  const std::string good = Content();
  for (const std::string& garbage :
       {std::string(300, '\0'), std::string("{\"number\":9}\n\xFF\n"), std::string("x\n")}) {
    Put(good + garbage);
    const AuditReport found = Verify();
    EXPECT_FALSE(found.whole());
    EXPECT_TRUE(found.torn || (found.fault_count > 0 && found.faults[0].line == 5)) << garbage.size();
    // The hub goes on behind it, with the next number, and says what it found.
    const std::string head = Content(kAuditHeadFile);
    Fill(1);
    EXPECT_EQ(Content().substr(0, good.size() + garbage.size()), good + garbage) << "what was there was changed";
    const std::string told = Content().substr(good.size() + garbage.size());
    EXPECT_THAT(told, ::testing::AnyOf(::testing::HasSubstr("torn_line"), ::testing::HasSubstr("damage_found")));
    EXPECT_THAT(told, ::testing::HasSubstr("{\"number\":5,"));
    Put(head, kAuditHeadFile);
  }
  // A hole in the middle: the entry that lost its bytes is named.
  std::string holed = good;
  const size_t second = holed.find('\n') + 1;
  holed.replace(second + 20, 200, 200, '\0');
  Put(holed);
  ASSERT_FALSE(Verify().whole());
  EXPECT_EQ(Verify().faults[0].line, 2u);
  EXPECT_EQ(Verify().faults[0].number, 2u);
}

// A told torn line may not be changed either.
TEST_F(AuditTest, ATornLineThatWasToldIsCoveredToo) {
  Fill(2);
  Put(Content() + R"({"number":3,"ti)");
  Fill(1);
  ASSERT_TRUE(Verify().whole());
  std::string content = Content();
  content[content.find("\"ti\n") + 1] = 'x';
  Put(content);
  EXPECT_FALSE(Verify().whole());
}

TEST_F(AuditTest, FilesAreBoundedAndTheChainGoesOn) {
  const AuditLogOptions options{.file_bytes = 2000, .old_files = 3, .fsync = false};
  Fill(100, options);
  const std::vector<std::string> files = AuditFiles(directory_);
  EXPECT_EQ(files.size(), 4u);
  const AuditReport report = Verify();
  EXPECT_TRUE(report.whole()) << report.faults.at(0).what;
  EXPECT_GT(report.first_number, 50u);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_THAT(report.notes[0], ::testing::HasSubstr("were trimmed"));
  // Without that entry's word a missing beginning is a fault.
  std::filesystem::remove(Path(files[0]));
  EXPECT_FALSE(Verify().whole());
}

TEST_F(AuditTest, TwoProgramsMayAppend) {
  AuditLog one(directory_, {.fsync = false});
  AuditLog two(directory_, {.fsync = false});
  for (int i = 0; i < 5; ++i) {
    Append(one, "hub");
    Append(two, "command");
  }
  const auto many = [&](AuditLog& log) {
    for (int i = 0; i < 50; ++i) Append(log, "at once");
  };
  std::thread other([&] { many(two); });
  many(one);
  other.join();
  EXPECT_TRUE(Verify().whole());
  EXPECT_EQ(Verify().entries, 110u);
}

TEST_F(AuditTest, HostileTextsStayOneLine) {
  AuditLog log(directory_);
  Append(log, "a\"b\\c\n\r\x01\xff{\"number\":9,");
  Append(log, std::string(100000, '\x02'));
  EXPECT_TRUE(Verify().whole());
  EXPECT_EQ(Lines().size(), 2u);
  EXPECT_LT(Content().size(), 8000u);
}

TEST_F(AuditTest, IsReadNewestFirstInPages) {
  Fill(30, {.file_bytes = 2000, .old_files = 30, .fsync = false});
  const auto newest = ReadAudit(directory_, 0, 10);
  ASSERT_EQ(newest->size(), 10u);
  EXPECT_EQ(ReadLink(newest->front())->number, 30u);
  const auto next = ReadAudit(directory_, 21, 100);
  ASSERT_EQ(next->size(), 20u);
  EXPECT_EQ(ReadLink(next->front())->number, 20u);
  EXPECT_EQ(ReadLink(next->back())->number, 1u);
}

TEST_F(AuditTest, ADiskThatRefusesKeepsEntriesWaitingAndSaysSo) {
  ManualClock clock(kStart_us);
  const std::string missing = directory_ + "/later";
  AuditTrail trail(clock, missing, {.fsync = false});
  for (size_t i = 0; i < kMaxWaitingEntries + 40; ++i) trail.Record("hub", "note", {{"i", std::to_string(i)}});
  for (int i = 0; i < 1000 && trail.health().error.empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(trail.health().error.empty());
  EXPECT_GT(trail.health().lost, 30u);
  const uint64_t lost = trail.health().lost;
  std::filesystem::create_directory(missing);
  for (int i = 0; i < 2000 && trail.health().waiting > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  trail.Record("hub", "note", {});
  trail.Close();
  EXPECT_EQ(trail.health().error, "");
  const auto content = ReadAuditFile(missing + "/audit.jsonl");
  EXPECT_NE(content->find(R"("action":"entries_lost","details":{"count":")" + std::to_string(lost)), std::string::npos);
  EXPECT_TRUE(VerifyAudit(missing, std::nullopt)->whole());
}

TEST_F(AuditTest, WhatComesOftenIsBoundedAndToldLater) {
  ManualClock clock(kStart_us);
  AuditTrail trail(clock, directory_, {.fsync = false});
  for (uint32_t i = 0; i < kMaxEntriesPerHour + 25; ++i) trail.RecordOften("login 192.0.2.1", "?", "login_bad", {});
  clock.Advance(3601 * kUsPerSecond);
  trail.RecordOften("login 192.0.2.1", "?", "login_bad", {});
  trail.Close();
  EXPECT_EQ(trail.health().entries, kMaxEntriesPerHour + 1);
  EXPECT_EQ(trail.health().left_out, 25u);
  EXPECT_THAT(Lines().back(), ::testing::HasSubstr(R"("left_out_before":"25")"));
}

}  // namespace
}  // namespace vesta::hub
