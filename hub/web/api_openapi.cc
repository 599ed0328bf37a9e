// The machine-readable description of the API, as it was built in.
#include "hub/web/api.h"

#include "hub/web/openapi_json.h"

namespace vesta::hub {

void AddOpenApiRoute(Router& router) {
  router.Add({"GET", "/api/v1/openapi.json", Scope::kRead, [](const Call&, std::shared_ptr<Responder> reply) {
                HttpResponse response;
                response.static_body = kOpenApiJson;
                reply->Send(std::move(response));
              }});
}

}  // namespace vesta::hub
