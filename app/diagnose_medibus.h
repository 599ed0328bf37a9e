// What a stretch of bytes from a MEDIBUS port is. Nothing was said to the device: what is there came by itself, or as
// answers to another host.
#pragma once

#include "app/diagnose.h"

namespace vesta::app {

Diagnosis DiagnoseMedibus(Bytes bytes);

}  // namespace vesta::app
