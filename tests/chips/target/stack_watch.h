// The deepest stack of the rooms' entry points, measured by painting: around each call the stack below is filled with a
// pattern, and afterwards it shows how far down something was written.
//
// The linker leads the calls through here (--wrap, see stack_watch.cc): the rooms know nothing of it. What the caller's
// own callbacks take while they run is measured with it, so the numbers are a little more than the rooms' own.
#pragma once

namespace vesta::chips {

void SayStacks();  // "stack NAME BYTES" for each that was called

}  // namespace vesta::chips
