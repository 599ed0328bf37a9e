// What each protocol's vector files look like (claims) and how they are run.
#pragma once

#include "tests/vector_runner/runner.h"

namespace vesta::vectors {

bool ClaimsP1(const VectorFile& file);
void RunP1(const VectorFile& file, Results* results);

bool ClaimsCan(const VectorFile& file);
void RunCan(const VectorFile& file, Results* results);

bool ClaimsMasterBus(const VectorFile& file);
void RunMasterBus(const VectorFile& file, Results* results);

bool ClaimsVictron(const VectorFile& file);
void RunVictron(const VectorFile& file, Results* results);

bool ClaimsVeSmart(const VectorFile& file);
void RunVeSmart(const VectorFile& file, Results* results);

bool ClaimsVedirect(const VectorFile& file);
void RunVedirect(const VectorFile& file, Results* results);
bool ClaimsMedibus(const VectorFile& file);
void RunMedibus(const VectorFile& file, Results* results);

bool ClaimsEspNow(const VectorFile& file);
void RunEspNow(const VectorFile& file, Results* results);

bool ClaimsLink(const VectorFile& file);
void RunLink(const VectorFile& file, Results* results);

}  // namespace vesta::vectors
