// What the screens look like on 128 x 64 dots. Values that are older than kStale_us are not shown: a dash stands there,
// and a device without any fresh value is "offline".
#pragma once

#include "node/function.h"
#include "node/screens/canvas.h"

namespace vesta::node {

inline constexpr int64_t kStale_us = int64_t{30} * 1000000;

void DrawVictron(const ShownValues& shown, int64_t now_us, Canvas& canvas);
void DrawMeter(const ShownValues& shown, int64_t now_us, Canvas& canvas);
void DrawStatus(const NodeStatus& status, int64_t now_us, Canvas& canvas);
void Draw(Screen screen, const ShownValues& shown, const NodeStatus& status, int64_t now_us, Canvas& canvas);

}  // namespace vesta::node
