#include "hub/postgres/pq_library.h"

#include <dlfcn.h>

#include <mutex>

namespace vesta::hub::postgres {
namespace {

constexpr char kLibraryFile[] = "libpq.so.5";

template <typename Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

bool FindAll(void* library, PqLibrary* pq) {
  return Find(library, "PQconninfoParse", &pq->conninfo_parse) && Find(library, "PQconninfoFree", &pq->conninfo_free) &&
         Find(library, "PQfreemem", &pq->freemem) && Find(library, "PQconnectStartParams", &pq->connect_start_params) &&
         Find(library, "PQconnectPoll", &pq->connect_poll) && Find(library, "PQfinish", &pq->finish) &&
         Find(library, "PQstatus", &pq->status) && Find(library, "PQsocket", &pq->socket) &&
         Find(library, "PQerrorMessage", &pq->error_message) && Find(library, "PQserverVersion", &pq->server_version) &&
         Find(library, "PQsetnonblocking", &pq->set_nonblocking) &&
         Find(library, "PQsetNoticeReceiver", &pq->set_notice_receiver) &&
         Find(library, "PQsendQueryParams", &pq->send_query_params) &&
         Find(library, "PQsetSingleRowMode", &pq->set_single_row_mode) && Find(library, "PQflush", &pq->flush) &&
         Find(library, "PQconsumeInput", &pq->consume_input) && Find(library, "PQisBusy", &pq->is_busy) &&
         Find(library, "PQgetResult", &pq->get_result) && Find(library, "PQresultStatus", &pq->result_status) &&
         Find(library, "PQresultErrorMessage", &pq->result_error_message) &&
         Find(library, "PQresultErrorField", &pq->result_error_field) && Find(library, "PQntuples", &pq->ntuples) &&
         Find(library, "PQgetvalue", &pq->getvalue) && Find(library, "PQgetlength", &pq->getlength) &&
         Find(library, "PQgetisnull", &pq->getisnull) && Find(library, "PQcmdTuples", &pq->cmd_tuples) &&
         Find(library, "PQclear", &pq->clear) && Find(library, "PQputCopyData", &pq->put_copy_data) &&
         Find(library, "PQputCopyEnd", &pq->put_copy_end);
}

}  // namespace

const PqLibrary* LoadPq(std::string* error) {
  static std::mutex mutex;
  static PqLibrary library;
  static bool loaded = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (loaded) return &library;
  // Never closed: its TLS library has threads' clean-up handlers in it.
  void* const handle = dlopen(kLibraryFile, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr || !FindAll(handle, &library)) {
    *error = std::string(kLibraryFile) + " is not installed (Debian: apt install libpq5)";
    return nullptr;
  }
  loaded = true;
  return &library;
}

}  // namespace vesta::hub::postgres
