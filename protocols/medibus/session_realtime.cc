// The realtime part of the session: streams are chosen from what the device offers; samples become readings in batches,
// each with the time that the interval gives it.
#include <algorithm>

#include "protocols/medibus/session.h"

namespace vesta::medibus {

void MedibusSession::TakeStreamConfig(const Frame& frame) {
  FlushRealtime();
  stream_count_ = 0;
  RealtimeSelection selection;
  StreamConfigReader reader(TextOf(frame.payload));
  StreamConfig config;
  while (selection.count < options_.link.realtime_streams && selection.count < kMaxRealtimeStreams &&
         device_ != kNoDevice && reader.Next(&config)) {
    Stream& stream = streams_[selection.count];
    const double min = Value::OfDecimal(config.min).ToDouble();
    const double max = Value::OfDecimal(config.max).ToDouble();
    stream.field = decoder_.FieldOf(Group::kRealtime, config.code);
    stream.interval_us = config.interval_us;
    stream.offset = min;
    stream.scale = (max - min) / static_cast<double>(config.max_binary);
    selection.codes[selection.count++] = config.code;
  }
  stream_count_ = selection.count;
  if (!options_.passive) link_.SelectStreams(selection);
}

void MedibusSession::OnRealtimeByte(uint8_t byte, const Now& now) {
  RealtimeRecord record;
  const bool complete = realtime_.Take(byte, &record);
  if (stream_count_ == 0) {
    ++counters_.realtime_unclaimed;
    return;
  }
  if (record_count_ == 0 && realtime_raw_size_ == 0) records_since_ = now;
  if (realtime_raw_size_ < realtime_raw_.size()) realtime_raw_[realtime_raw_size_++] = byte;
  if (!complete) return;
  ++counters_.realtime_records;
  records_[record_count_++] = record;
  if (record_count_ == kRealtimeBatch) FlushRealtime();
}

void MedibusSession::FlushRealtime() {
  if (record_count_ == 0) return;
  batch_.Clear();
  const StampedTime since = ArrivalTime(records_since_);
  for (size_t n = 0; n < record_count_; ++n) {
    const RealtimeRecord& record = records_[n];
    StampedTime time = since;
    time.time_us += static_cast<int64_t>(n) * streams_[0].interval_us;
    for (size_t i = 0; i < stream_count_; ++i) {
      if ((record.mask & (1u << i)) == 0) continue;
      batch_.Add(device_, streams_[i].field,
                 Value::OfReal(streams_[i].offset + streams_[i].scale * static_cast<double>(record.bin[i])), time);
    }
    if (record.mark != BreathMark::kNone) {
      const uint32_t phase = record.mark == BreathMark::kInspiration ? kBreathInspiration : kBreathExpiration;
      batch_.Add(device_, kBreathPhase, Value::OfState(phase), time);
    }
  }
  FrameEvent event;
  event.raw = {realtime_raw_.data(), realtime_raw_size_};
  event.stream_offset = parser_.bytes_received();
  event.readings = batch_.readings();
  events_->OnFrame(event);
  batch_.Clear();
  record_count_ = 0;
  realtime_raw_size_ = 0;
}

}  // namespace vesta::medibus
