using Microsoft.AspNetCore.Http.Metadata;

namespace Sekisho.Operations.SignIn;

/// <summary>Largest body of a route that anybody may call, in bytes.</summary>
internal sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
