// Starts the node's program: the one that was loaded on trial, else the one that was loaded and has proven itself, else
// this one. A program on trial that ends, or has not reached the hub in time, is thrown away, and the one before it is
// started again: a node that can't be reached can't be mended.
//
// Only in use where a signer's key is given; without one the program runs in the process that was started.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "node_linux/program_slot.h"

namespace vesta::node_linux {

struct SupervisorOptions {
  std::string state;
  std::string config;  // path, for the program
  // A hub that is away for an hour must not cost an update; a node with a broken program is back after it.
  std::chrono::seconds trial = std::chrono::minutes(10);
};

// The exit code of a program that asks for another to be started in its place.
inline constexpr int kExitReplaced = 77;

// run: this program's own work; returns its exit code. Returns the exit code.
int Supervise(const SupervisorOptions& options, const std::atomic<bool>& stops, const std::function<int()>& run);

}  // namespace vesta::node_linux
