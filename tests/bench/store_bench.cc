// The store by itself: speed and size, in one run with plain SQLite rows (series, time, value) WITHOUT ROWID, written
// 1,000 a commit with synchronous=FULL. All on one core.
//
//   store_bench [DAYS [ingest|size|charts|wear]]     DAYS of the home's meter for the size (30); one part only
//   store_bench --pace SECONDS                       bytes to the block device in real time
//   store_bench --chart FILE POINTS | --bare FILE | --group FILE    one cold reading, for the run itself
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "hub/store/sqlite_reader.h"
#include "hub/store/temporary_store.h"
#include "tests/bench/store_home.h"

namespace vesta::tests {
namespace {

using hub::CommitUnit;
using hub::JournalNumber;
using hub::Record;
using hub::SeriesId;

constexpr int64_t kYearSeconds = 365 * 86400;
bool all_ok = true;

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// limit: at least, or with `most` at most.
void Bar(const char* name, double value, double limit, bool most = false) {
  const bool ok = most ? value <= limit : value >= limit;
  all_ok &= ok;
  fmt::print("bar {} {:.3f} {} {}\n", name, value, limit, ok ? "ok" : "short");
  std::fflush(stdout);
}

uint64_t FolderBytes(const std::string& folder) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) bytes += file.file_size();
  return bytes;
}

CommitUnit UnitOf(std::vector<Record>& records) {
  CommitUnit unit;
  unit.batches.emplace_back();
  unit.batches[0].records.swap(records);
  return unit;
}

// Readings a second, each commit durable when the next begins; what is due is folded in between.
double IngestStore(SeriesId series, uint64_t readings) {
  const hub::TemporaryFolder folder;
  auto store = hub::OpenStore(folder.File("vesta.db"));
  CommitUnit names = HomeMeter::Directory();
  names.series.clear();
  for (SeriesId id = 1; id <= series; ++id) {
    names.series.push_back({id, 1, {}});
    names.series.back().field.key = fmt::format("f{}", id);
  }
  if (!store->Commit(names)) return 0;
  constexpr size_t kCommit = 4096;
  std::vector<Record> records;
  const double start = Seconds();
  for (uint64_t given = 0; given < readings;) {
    const UtcUs time_us = kHomeStart_us + static_cast<int64_t>(given / series) * kUsPerSecond;
    for (SeriesId id = 1; id <= series; ++id, ++given) {
      Record& record = records.emplace_back();
      record.number = given + 1;
      record.series = id;
      record.time_us = time_us;
      record.received_us = time_us + 300000 + static_cast<int64_t>(given / series * 7919 % 40000);
      record.value = Value::OfDecimal(static_cast<int64_t>(1000 * id + (given / series * 7919) % (id % 97 + 3)), -3);
      if (records.size() < kCommit) continue;
      if (!store->Commit(UnitOf(records))) return 0;
      while (*store->FoldStep()) continue;
    }
  }
  return static_cast<double>(readings) / (Seconds() - start);
}

// Returns readings a second; the file stays.
double FillRows(const std::string& path, SeriesId series, uint64_t readings, bool sync) {
  auto db = hub::SqliteDb::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "");
  db->Execute(sync ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"
                   : "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536");
  db->Execute("CREATE TABLE reading (series INTEGER, time INTEGER, value, PRIMARY KEY (series, time)) WITHOUT ROWID");
  hub::Statement insert = db->Prepare("INSERT INTO reading VALUES (?,?,?)");
  const double start = Seconds();
  db->Execute("BEGIN");
  for (uint64_t given = 0; given < readings;) {
    const UtcUs time_us = kHomeStart_us + static_cast<int64_t>(given / series) * kUsPerSecond;
    for (SeriesId id = 1; id <= series; ++id, ++given) {
      insert.BindInteger(1, id);
      insert.BindInteger(2, time_us);
      insert.BindReal(3, static_cast<double>(1000 * id + (given / series * 7919) % (id % 97 + 3)) / 1000);
      insert.Run();
      if (given % 1000 == 999) db->Execute("COMMIT; BEGIN");
    }
  }
  db->Execute("COMMIT");
  return static_cast<double>(readings) / (Seconds() - start);
}

void Ingest() {
  constexpr uint64_t kReadings = 4000000;
  const double home = IngestStore(28, kReadings);
  const double many = IngestStore(1000, kReadings);
  const hub::TemporaryFolder folder;
  const double rows = FillRows(folder.File("rows.db"), 28, kReadings / 4, true);
  const double many_rows = FillRows(folder.File("many.db"), 1000, kReadings / 4, true);
  fmt::print("ingest, readings a second: {:.0f} (28 series), {:.0f} (1,000 series); plain rows {:.0f} and {:.0f}\n",
             home, many, rows, many_rows);
  Bar("store_ingest_times_rows", home / rows, 5);
  Bar("store_ingest_1000_series_times_28", many / home, 0.95);
}

// The home's meter through the store with the default commit of 10 s; returns readings.
uint64_t LiveHome(const std::string& path, int64_t begin_s, int64_t end_s, int64_t commit_s, bool sync) {
  hub::SqliteStoreOptions options;
  options.fsync = sync;
  auto store = hub::OpenStore(path, options);
  if (begin_s == 0 && !store->Commit(HomeMeter::Directory())) std::abort();
  HomeMeter meter;
  JournalNumber number = store->Restore()->last_number;
  std::vector<Record> records;
  const JournalNumber first = number;
  for (int64_t second = begin_s; second < end_s; ++second) {
    meter.Second(second, &number, &records);
    if ((second + 1) % commit_s != 0) continue;
    CommitUnit unit = UnitOf(records);
    unit.positions = {{"mqtt/history", number}};
    if (!store->Commit(unit)) std::abort();
    while (*store->FoldStep()) continue;
  }
  return number - first;
}

void Size(int64_t days) {
  const hub::TemporaryFolder folder;
  const double start = Seconds();
  const uint64_t readings = LiveHome(folder.File("vesta.db"), 0, days * 86400, 10, false);
  const uint64_t bytes = FolderBytes(folder.File(""));
  auto db = hub::SqliteDb::Open(folder.File("vesta.db"), SQLITE_OPEN_READWRITE, "");
  fmt::print("{} days of the home's meter: {} readings, {} bytes in {:.0f} s; blocks {} bytes, roll-ups {} bytes\n",
             days, readings, bytes, Seconds() - start, *db->Integer("SELECT sum(length(data)) FROM block"),
             *db->Integer("SELECT sum(length(data)) FROM rollup"));
  for (int level = 0; level < hub::kRollupLevels; ++level) {
    fmt::print("roll-ups of level {}: {} bytes\n", level,
               *db->Integer(fmt::format("SELECT sum(length(data)) FROM rollup WHERE level = {}", level).c_str()));
  }
  const double each = static_cast<double>(bytes) / static_cast<double>(readings);
  Bar("store_bytes_per_reading", each, 0.33, true);
  fmt::print("a year of every second: {:.0f} MB\n", each * kMeterFields * kYearSeconds / 1e6);
}

// An ext4 image of its own, loop-mounted, and the kernel's count of what reaches it.
class LoopDisk {
 public:
  LoopDisk(const hub::TemporaryFolder& folder, const std::string& name, const char* block_bytes, const char* options)
      : mount_(folder.File(name)) {
    const std::string image = mount_ + ".img";
    std::filesystem::create_directory(mount_);
    mounted_ = Run("truncate -s 256M " + image + " && mkfs.ext4 -q -b " + block_bytes +
                   " -E lazy_itable_init=0,lazy_journal_init=0 " + image) &&
               Run("mount -o loop," + std::string(options) + " " + image + " " + mount_);
    if (!mounted_) return;
    device_.resize(256);
    FILE* const found = popen(("findmnt -n -o SOURCE " + mount_).c_str(), "r");
    device_.resize(std::fread(device_.data(), 1, device_.size(), found));
    pclose(found);
    device_ = device_.substr(5, device_.find_last_not_of('\n') - 4);
  }
  ~LoopDisk() {
    if (mounted_) Run("umount " + mount_);
  }
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::string File(const std::string& name) const { return mount_ + "/" + name; }
  double WrittenBytes() const {
    FILE* const stat = std::fopen(("/sys/block/" + device_ + "/stat").c_str(), "r");
    unsigned long long field[7] = {};
    for (unsigned long long& one : field) {
      if (std::fscanf(stat, "%llu", &one) != 1) one = 0;
    }
    std::fclose(stat);
    return static_cast<double>(field[6]) * 512;
  }

 private:
  static bool Run(const std::string& command) { return std::system((command + " > /dev/null 2>&1").c_str()) == 0; }
  std::string mount_;
  std::string device_;
  bool mounted_ = false;
};

// Bytes that reach the block device in a day of the home's meter, the hours passing quickly: what the store writes,
// folding included, without what the file system adds every few seconds.
void Wear() {
  const hub::TemporaryFolder folder;
  const LoopDisk disk(folder, "wear", "4096", "noatime");
  if (!disk.mounted()) {
    fmt::print("no loop mount to be had here: bytes to the block device were not measured\n");
    return;
  }
  const std::string path = disk.File("vesta.db");
  LiveHome(path, 0, 7200, 10, true);  // the slots are made
  sync();
  for (const int64_t commit_s : {10, 1}) {
    // A quarter of the day at 1 s is enough to tell.
    const int64_t span_s = commit_s == 10 ? 86400 : 21600;
    const int64_t begin_s = commit_s == 10 ? 7200 : 7200 + 86400;
    const double before = disk.WrittenBytes();
    LiveHome(path, begin_s, begin_s + span_s, commit_s, true);
    sync();
    const double mb = (disk.WrittenBytes() - before) / 1e6 * (86400.0 / static_cast<double>(span_s));
    fmt::print("{:.1f} MB a day reach the block device at a commit every {} s\n", mb, commit_s);
    if (commit_s == 10) Bar("store_mb_a_day_to_the_device", mb, 60, true);
  }
}

// The same in real time, commits only: with what the file system adds, for some ways to make and mount it.
void Pace(int64_t seconds) {
  struct Way {
    const char* block_bytes;
    const char* options;
  };
  constexpr Way kWays[] = {{"4096", "relatime"},  {"4096", "noatime"},   {"4096", "lazytime"},
                           {"4096", "commit=30"}, {"4096", "commit=60"}, {"1024", "relatime"}};
  struct Home {
    std::unique_ptr<LoopDisk> disk;
    std::unique_ptr<hub::SqliteStore> store;
    double before = 0;
  };
  const hub::TemporaryFolder folder;
  std::vector<Home> homes;
  for (const Way& way : kWays) {
    Home& home = homes.emplace_back();
    home.disk = std::make_unique<LoopDisk>(folder, fmt::format("d{}", homes.size()), way.block_bytes, way.options);
    if (!home.disk->mounted()) {
      fmt::print("no loop mount to be had here: nothing was measured in real time\n");
      return;
    }
    LiveHome(home.disk->File("vesta.db"), 0, 7200, 10, true);  // the slots are made
    home.store = hub::OpenStore(home.disk->File("vesta.db"));
  }
  JournalNumber number = homes[0].store->Restore()->last_number;
  sync();
  sleep(65);  // what that left behind is written
  for (Home& home : homes) home.before = home.disk->WrittenBytes();
  HomeMeter meter;
  std::vector<Record> records;
  const double start = Seconds();
  for (int64_t second = 7200; second < 7200 + seconds; ++second) {
    meter.Second(second, &number, &records);
    if ((second + 1) % 10 != 0) continue;
    while (Seconds() - start < static_cast<double>(second + 1 - 7200)) usleep(10000);
    CommitUnit unit = UnitOf(records);
    unit.positions = {{"mqtt/history", number}};
    for (Home& home : homes) {
      if (!home.store->Commit(unit)) std::abort();
    }
  }
  for (size_t i = 0; i < homes.size(); ++i) {
    const double bytes = homes[i].disk->WrittenBytes() - homes[i].before;
    fmt::print("in real time, commits every 10 s, ext4 with blocks of {} bytes, {}: {:.1f} MB a day without folding\n",
               kWays[i].block_bytes, kWays[i].options, bytes / 1e6 * 86400 / static_cast<double>(seconds));
    homes[i].store.reset();
  }
}

// Time of a process of its own, best of three: pages may be cached, nothing else is.
double Cold(const std::vector<std::string>& arguments) {
  double best = 1e9;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const double start = Seconds();
    const pid_t child = fork();
    if (child == 0) {
      std::vector<char*> argv;
      for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      execv("/proc/self/exe", argv.data());
      _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 1e9;
    best = std::min(best, Seconds() - start);
  }
  return best;
}

void Charts() {
  const hub::TemporaryFolder folder;
  const std::string path = folder.File("vesta.db");
  {
    hub::SqliteStoreOptions options;
    options.fsync = false;
    auto store = hub::OpenStore(path, options);
    if (!store->Commit(HomeMeter::Directory())) std::abort();
    std::vector<Record> records;
    for (int64_t second = 0; second < kYearSeconds; ++second) {
      records.push_back(hub::MakeRecord(static_cast<JournalNumber>(second + 1), 6,
                                        kHomeStart_us + second * kUsPerSecond,
                                        Value::OfDecimal(1000 + (second / 60 * 7919) % 1777 + second % 13, -3)));
      if (records.size() < 4096) continue;
      if (!store->Commit(UnitOf(records))) std::abort();
      while (*store->FoldStep()) continue;
    }
  }
  const std::string rows = folder.File("rows.db");
  FillRows(rows, 1, kYearSeconds, false);
  {
    auto db = hub::SqliteDb::Open(rows, SQLITE_OPEN_READWRITE, "");
    db->Execute(
        "CREATE TABLE hour (series INTEGER, time INTEGER, count INTEGER, low, high, mean, first, last,"
        " PRIMARY KEY (series, time)) WITHOUT ROWID;"
        "INSERT INTO hour SELECT series, time / 3600000000, count(*), min(value), max(value), avg(value), min(value),"
        " max(value) FROM reading GROUP BY 1, 2");
  }
  const double year = Cold({"store_bench", "--chart", path, "1000", "365"});
  const double bare = Cold({"store_bench", "--bare", rows});
  const double group = Cold({"store_bench", "--group", rows});
  fmt::print("one-year chart: {:.2f} ms; bare read of as many roll-up rows {:.2f} ms; GROUP BY {:.0f} ms\n", year * 1e3,
             bare * 1e3, group * 1e3);
  Bar("store_year_chart_times_group_by", group / year, 100);
  Bar("store_year_chart_of_bare_rollup_read", year / bare, 3, true);
  const double day = Cold({"store_bench", "--range", path});
  const double day_rows = Cold({"store_bench", "--day", rows});
  fmt::print("one day at full detail: {:.2f} ms; plain rows {:.2f} ms\n", day * 1e3, day_rows * 1e3);
  Bar("store_day_detail_times_rows", day_rows / day, 3);
}

// One cold reading in a process of its own.
int Child(const std::string& what, const std::string& path, int argc, char** argv) {
  if (what == "--chart" || what == "--range") {
    auto reader = hub::SqliteReader::Open(path, "");
    if (!reader) return 1;
    const UtcUs mid_us = kHomeStart_us + 180 * 86400 * kUsPerSecond;
    if (what == "--range") {
      const auto batch = (*reader)->ReadRange(6, mid_us, mid_us + 86400 * kUsPerSecond, SIZE_MAX);
      return batch && batch->records.size() == 86400 ? 0 : 2;
    }
    uint64_t total = 0;
    const auto batch =
        (*reader)->ReadThinned(6, kHomeStart_us, kHomeStart_us + std::atoll(argv[argc - 1]) * 86400 * kUsPerSecond,
                               static_cast<size_t>(std::atoi(argv[argc - 2])), &total);
    return batch && batch->records.size() > 500 && total > kYearSeconds - 10000 ? 0 : 2;
  }
  auto db = hub::SqliteDb::Open(path, SQLITE_OPEN_READONLY, "");
  if (!db) return 1;
  const std::string sql =
      what == "--bare" ? "SELECT time, count, low, high, mean, first, last FROM hour WHERE series = 1 ORDER BY time"
      : what == "--group"
          ? fmt::format(
                "SELECT (time - {}) / 31536000000, min(value), max(value), avg(value), count(*)"
                " FROM reading WHERE series = 1 GROUP BY 1",
                kHomeStart_us)
          : fmt::format("SELECT time, value FROM reading WHERE series = 1 AND time >= {} AND time < {}",
                        kHomeStart_us + 180 * 86400 * kUsPerSecond, kHomeStart_us + 181 * 86400 * kUsPerSecond);
  hub::Statement rows = db->Prepare(sql.c_str());
  double sum = 0;
  int64_t count = 0;
  while (rows.Step() == SQLITE_ROW) {
    ++count;
    for (int column = 0; column < 2; ++column) sum += rows.Real(column);
  }
  return count > 500 && sum > 0 ? 0 : 2;
}

}  // namespace
}  // namespace vesta::tests

int main(int argc, char** argv) {
  using namespace vesta::tests;
  if (argc > 2 && std::strcmp(argv[1], "--pace") == 0) {
    Pace(std::atoll(argv[2]));
    return 0;
  }
  if (argc > 2 && std::strncmp(argv[1], "--", 2) == 0) return Child(argv[1], argv[2], argc, argv);
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(0, &core);
  if (sched_setaffinity(0, sizeof(core), &core) != 0) fmt::print("not pinned to one core\n");
  const std::string only = argc > 2 ? argv[2] : "";
  const auto wanted = [&only](const char* part) { return only.empty() || only == part; };
  if (wanted("ingest")) Ingest();
  if (wanted("size")) Size(argc > 1 ? std::atoll(argv[1]) : 30);
  if (wanted("charts")) Charts();
  if (wanted("wear")) Wear();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{} kB resident at most\n", usage.ru_maxrss);
  return all_ok ? 0 : 1;
}
