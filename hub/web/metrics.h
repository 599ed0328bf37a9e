// What Prometheus scrapes: how the hub does, and the newest value of every series (docs/metrics.md).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "formats/prometheus.h"
#include "hub/web/api.h"
#include "hub/web/connection.h"
#include "hub/web/events.h"

namespace vesta::hub {

// The families one after the other; written as the scraper reads.
class MetricsBody final : public BodyPieces {
 public:
  MetricsBody(const ApiContext& context, const WebCounters& counters, const EventHub& events,
              PrometheusWriter::Form form);
  State Next(std::string* out) override;

 private:
  class StringSink final : public TextSink {
   public:
    void Write(std::string_view text) override { out->append(text); }
    std::string* out = nullptr;
  };

  void AddHub(const WebCounters& counters, const EventHub& events);
  void AddSources();
  void AddOutputs();
  void AddDevices();
  void AddReadings();

  // A family without labels and with one number.
  template <typename Number>
  void Single(std::string name, MetricType type, std::string help, Number value);
  // A family with one sample for each of the items.
  template <typename Items, typename Sample>
  void PerItem(std::string name, MetricType type, std::string help, std::shared_ptr<Items> items, Sample sample);

  // One family; called until it says that it is done, with 0, 1, 2, ...
  using Step = std::function<bool(PrometheusWriter&, size_t)>;

  const ApiContext& context_;
  StringSink sink_;
  PrometheusWriter writer_;
  std::vector<Step> steps_;
  size_t step_ = 0;
  size_t call_ = 0;
};

}  // namespace vesta::hub
