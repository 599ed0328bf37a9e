// What /metrics says, read by a parser that is as strict as the form allows.
#include "hub/web/metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "hub/web/testing/web_fixture.h"

namespace vesta::hub {
namespace {

using std::string;

bool IsName(const string& name, bool label) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  if (label && name.starts_with("__")) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (!label && c == ':');
  });
}

struct Exposition {
  std::map<string, string> types;    // by family
  std::map<string, string> samples;  // name with labels -> value
  std::vector<string> problems;
};

// Splits `name{labels} value`; the labels come out sorted, so that equal sets are equal texts.
bool ParseSample(const string& line, string* name, string* labels, string* value) {
  size_t at = line.find_first_of("{ ");
  if (at == string::npos) return false;
  *name = line.substr(0, at);
  std::map<string, string> found;
  if (line[at] == '{') {
    ++at;
    while (line[at] != '}') {
      const size_t equals = line.find("=\"", at);
      if (equals == string::npos) return false;
      const string label = line.substr(at, equals - at);
      if (!IsName(label, true)) return false;
      string text;
      for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == '\\') {
          ++at;
          if (at >= line.size() || string("\\\"n").find(line[at]) == string::npos) return false;
          text += line[at] == 'n' ? '\n' : line[at];
        } else {
          text += line[at];
        }
      }
      if (at >= line.size() || !found.emplace(label, text).second) return false;
      ++at;
      if (line[at] == ',') ++at;
    }
    ++at;
  }
  if (line[at] != ' ') return false;
  *value = line.substr(at + 1);
  for (const auto& [label, text] : found) *labels += label + "=" + text + ";";
  return value->find(' ') == string::npos;  // no time
}

Exposition Parse(const string& text, bool open_metrics) {
  Exposition out;
  const auto problem = [&](const string& what, const string& line) { out.problems.push_back(what + ": " + line); };
  if (!text.ends_with('\n')) problem("no line end at the end", "");
  std::set<string> finished;
  std::set<string> helped;
  string family;
  bool eof = false;
  uint64_t bucket_before = 0;
  uint64_t bucket_total = 0;
  std::istringstream lines(text);
  for (string line; std::getline(lines, line);) {
    if (eof) problem("after the end", line);
    if (line == "# EOF" && open_metrics) {
      eof = true;
      continue;
    }
    std::istringstream words(line);
    string hash, kind, name, type;
    if (line.starts_with("# ")) {
      words >> hash >> kind >> name >> type;
      if (!IsName(name, false)) problem("bad name", line);
      if (kind == "HELP") {
        if (!family.empty()) finished.insert(family);
        if (!helped.insert(name).second || finished.count(name) != 0) problem("second HELP", line);
        family = name;
      } else if (kind == "TYPE") {
        if (name != family) problem("TYPE away from its HELP", line);
        if (type != "counter" && type != "gauge" && type != "histogram") problem("unknown type", line);
        if (!out.types.emplace(name, type).second) problem("second TYPE", line);
        const bool total = name.ends_with("_total");
        if (type == "counter" && total == open_metrics) problem("_total in the wrong place", line);
        if (type == "gauge" && total) problem("a gauge named as a counter", line);
      } else {
        problem("unknown comment", line);
      }
      continue;
    }
    string labels, value;
    if (!ParseSample(line, &name, &labels, &value)) {
      problem("not a sample", line);
      continue;
    }
    const string expected = open_metrics && out.types[family] == "counter" ? family + "_total" : family;
    if (out.types[family] == "histogram") {
      const bool bucket = name == family + "_bucket";
      if (!bucket && name != family + "_sum" && name != family + "_count") problem("not a part of a histogram", line);
      if (bucket != (labels.find("le=") != string::npos)) problem("a bound where none is due, or none", line);
      if (bucket) {
        // Counts grow with the bound; the last bucket holds all.
        const uint64_t count = std::stoull(value);
        if (count < bucket_before) problem("not cumulative", line);
        bucket_before = labels.find("le=+Inf;") != string::npos ? 0 : count;
        if (labels.find("le=+Inf;") != string::npos) bucket_total = count;
      } else if (name == family + "_count" && std::stoull(value) != bucket_total) {
        problem("_count is not the last bucket", line);
      }
    } else if (name != expected) {
      problem("sample away from its family", line);
    }
    char* end = nullptr;
    std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0') problem("not a number", line);
    if (!out.samples.emplace(name + "{" + labels + "}", value).second) problem("the same sample twice", line);
  }
  if (open_metrics && !eof) problem("no # EOF", "");
  return out;
}

class MetricsTest : public WebFixture {
 protected:
  static constexpr const char* kMeter = "device=p1_e0044007382246019;";
};

TEST_F(MetricsTest, IsWellFormedInBothForms) {
  Start();
  Main([&] {
    fake_.directory.SetName(fake_.meter_id, "a \"b\" \\ c\nd \xFF", "Hall");
    fake_.Hear(6, Value::OfDecimal(4321, -3));
  });
  RawAnswer answer = Get("/metrics");
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  Exposition text = Parse(answer.body, false);
  EXPECT_EQ(text.problems, std::vector<string>{});
  EXPECT_GT(text.samples.size(), 50u);
  answer = Get("/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n");
  EXPECT_EQ(answer.headers.at("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  text = Parse(answer.body, true);
  EXPECT_EQ(text.problems, std::vector<string>{});
}

TEST_F(MetricsTest, TheParserIsStrict) {
  EXPECT_FALSE(Parse("# HELP a b\n# TYPE a gauge\na 1\na 2\n", false).problems.empty());
  EXPECT_FALSE(Parse("# HELP a b\n# TYPE a gauge\nb 1\n", false).problems.empty());
  EXPECT_FALSE(Parse("# HELP a b\n# TYPE a counter\na 1\n", false).problems.empty());
  EXPECT_FALSE(Parse("# HELP a b\n# TYPE a gauge\na{x=\"\\q\"} 1\n", false).problems.empty());
  EXPECT_FALSE(Parse("# HELP a b\n# TYPE a gauge\na 1", false).problems.empty());
  EXPECT_FALSE(Parse("# HELP a b\n# TYPE a gauge\na 1 1234\n", false).problems.empty());
  EXPECT_TRUE(Parse("# HELP a b\n# TYPE a gauge\na{x=\"\\\"\"} 1\n", false).problems.empty());
}

TEST_F(MetricsTest, SaysWhatTheHubAndTheDevicesDo) {
  Start();
  Main([&] { fake_.Hear(6, Value::OfDecimal(4321, -3)); });
  const Exposition text = Parse(Get("/metrics").body, false);
  const auto value = [&](const string& name) {
    const auto found = text.samples.find(name);
    return found == text.samples.end() ? "missing" : found->second;
  };
  const string meter = string(kMeter) + "field=";
  EXPECT_EQ(value("vesta_build_info{version=0.1.0;}"), "1");
  EXPECT_EQ(value("vesta_frames_received_total{source=meter;}"), "15");
  EXPECT_EQ(value("vesta_frames_rejected_total{reason=crc;source=meter;}"), "2");
  EXPECT_EQ(value("vesta_bytes_received_total{source=meter;}"), "4711");
  EXPECT_EQ(value("vesta_source_up{source=meter;}"), "1");
  EXPECT_EQ(value("vesta_source_reconnects_total{source=meter;}"), "2");
  EXPECT_EQ(value("vesta_source_last_frame_timestamp_seconds{source=meter;}"), "1786429285.000000");
  EXPECT_EQ(value("vesta_output_up{output=broker;}"), "1");
  EXPECT_EQ(value("vesta_output_dropped_total{output=broker;reason=too_old;}"), "1");
  EXPECT_EQ(value("vesta_device_up{" + string(kMeter) + "}"), "1");
  EXPECT_EQ(
      value("vesta_device_energy_watt_hours_total{" + meter + "energy_import_t1;name=Electricity meter;tariff=1;}"),
      "1234567");
  EXPECT_EQ(value("vesta_device_voltage_volts{" + meter + "voltage_l1;name=Electricity meter;phase=l1;}"), "230.10");
  EXPECT_EQ(value("vesta_device_state{" + meter + "charge_state;name=Electricity meter;state=bulk;}"), "1");
  EXPECT_EQ(value("vesta_device_state{" + meter + "charge_state;name=Electricity meter;state=off;}"), "0");
  EXPECT_EQ(value("vesta_device_problem{" + meter + "breaker;name=Electricity meter;}"), "1");
  EXPECT_EQ(text.types.at("vesta_device_gas_volume_cubic_meters_total"), "counter");
  EXPECT_EQ(value("vesta_source_events_total{event=repaired_bit7;source=meter;}"), "4");
  EXPECT_EQ(value("vesta_source_refused_connections_total{source=meter;}"), "3");
  EXPECT_EQ(value("vesta_output_failed_total{output=broker;reason=connection;}"), "2");
  EXPECT_EQ(value("vesta_decode_seconds_bucket{le=0.0001;source=meter;}"), "1");
  EXPECT_EQ(value("vesta_decode_seconds_bucket{le=+Inf;source=meter;}"), "2");
  EXPECT_EQ(value("vesta_decode_seconds_sum{source=meter;}"), "20.000070");
  EXPECT_EQ(value("vesta_config_last_reload_success{}"), "1");
  EXPECT_EQ(value("vesta_health_status{}"), "0");
  EXPECT_NE(value("process_resident_memory_bytes{}"), "0");
}

TEST_F(MetricsTest, LeavesOutWhatIsStale) {
  Start();
  Main([&] {
    fake_.clock().Advance(6 * 3600 * kUsPerSecond);
    fake_.live.Tick();
  });
  const string body = Get("/metrics").body;
  EXPECT_EQ(body.find("vesta_device_voltage_volts{"), string::npos);
  EXPECT_NE(body.find("vesta_device_up{device=\"p1_e0044007382246019\"} 0\n"), string::npos);
  EXPECT_EQ(Parse(body, false).problems, std::vector<string>{});
}

}  // namespace
}  // namespace vesta::hub
