/**
 * The errors of the proxy's HTTP API. Toxiproxy 2.x answers `{"error": text, "status": code}`; clients match on both,
 * so the texts and codes here are its own (Shopify/toxiproxy, api.go).
 */
export class ApiError extends Error {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }

  /** The error's body on the wire. */
  toJSON(): { error: string; status: number } {
    return { error: this.message, status: this.status }
  }
}

export const badRequestBody = (detail: string): ApiError => new ApiError(`bad request body: ${detail}`, 400)
export const missingField = (field: string): ApiError => new ApiError(`missing required field: ${field}`, 400)
export const bodyTooLarge = (limitBytes: number): ApiError =>
  new ApiError(`bad request body: larger than ${limitBytes} bytes`, 413)
export const proxyNotFound = (): ApiError => new ApiError('proxy not found', 404)
export const proxyAlreadyExists = (): ApiError => new ApiError('proxy already exists', 409)
export const invalidStream = (): ApiError =>
  new ApiError('stream was invalid, can be either upstream or downstream', 400)
export const invalidToxicType = (): ApiError => new ApiError('invalid toxic type', 400)
export const toxicAlreadyExists = (): ApiError => new ApiError('toxic already exists', 409)
export const toxicNotFound = (): ApiError => new ApiError('toxic not found', 404)

/**
 * A listener that the platform refused, in the words of Go's net package, which Toxiproxy passes on with status 500.
 */
export function listenFailed(listen: string, cause: NodeJS.ErrnoException): ApiError {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'bind: address already in use',
    EADDRNOTAVAIL: "bind: can't assign requested address",
    EACCES: 'bind: permission denied',
  }
  return new ApiError(`listen tcp ${listen}: ${reasons[cause.code ?? ''] ?? cause.message}`, 500)
}
