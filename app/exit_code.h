// How every command ends: stable, for scripts and service managers.
#pragma once

namespace vesta::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitProblems = 1;     // it ran, and found problems or failed at its work
inline constexpr int kExitWrongUsage = 2;   // the command line is wrong; nothing was done
inline constexpr int kExitCannotStart = 3;  // a file, port or address that it needs is not to be had

}  // namespace vesta::app
