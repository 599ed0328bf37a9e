// Why a frame was not believed, in words for people, and what they can do about it.
#pragma once

#include <string>
#include <string_view>

#include "model/session.h"

namespace vesta::app {

// "the checksum is 3812, but the bytes give 4A11". Unknown words stand for themselves.
std::string ExplainReason(std::string_view reason, Bytes raw);

// "" when there is nothing to advise.
std::string_view AdviseOn(std::string_view reason);

}  // namespace vesta::app
