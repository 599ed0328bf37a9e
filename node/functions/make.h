// From a configuration to its functions: what they need of the board and of the arena, and making them.
#pragma once

#include "node/arena.h"
#include "node/function.h"

namespace vesta::node {

// Whether the board has what the function needs; else `problem` says what is missing.
bool HasPortsFor(const FunctionConfig& config, const Ports& ports, Problem* problem);
// Bytes of the arena, with its alignment.
size_t MemoryOf(const FunctionConfig& config);
// nullptr when it does not fit. The configuration outlives the function. `number`: its place in the configuration.
Function* MakeFunction(const NodeConfig& config, uint8_t number, Arena& arena);

// Whether this node can run the configuration: its board, its arena, its items. Changes nothing.
bool CheckFits(const NodeConfig& config, const Ports& ports, size_t arena_size, Problem* problem);

}  // namespace vesta::node
