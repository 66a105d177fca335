import { FieldReader } from "../field-reader.ts";

/**
 * Reads the parsed body of `POST /v1/releases/{id}/candidate`: `candidate`, the version with which the release begins again.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeCandidate(body: unknown): string {
  const read = new FieldReader(body);
  read.refuseUnknown(["candidate"]);
  const candidate = read.text("candidate", read.fields["candidate"]);
  read.assertNoProblems();
  return candidate;
}
