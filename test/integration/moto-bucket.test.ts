import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { FetchingServer, makeLoosePackage } from "../support/fetching-server.ts";
import { findFreePort } from "../support/free-port.ts";
import { describeWithPython } from "../support/python-environment.ts";

/** Makes a user whose keys open the bucket, and puts a package there; the requests after these have to be signed. */
const SET_UP = `
import json, os, sys, boto3
from botocore.config import Config
where = dict(endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="y")
iam = boto3.client("iam", **where)
iam.create_user(UserName="reader")
keys = iam.create_access_key(UserName="reader")["AccessKey"]
rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(rights))
where.update(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"])
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}), **where)
s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
for name in os.listdir(sys.argv[2]):
    with open(os.path.join(sys.argv[2], name), "rb") as file:
        for folder in ["a folder+more/reviews/1.0.0/"]:
            s3.put_object(Bucket="models", Key=folder + name, Body=file.read(), ChecksumAlgorithm="SHA256")
print(json.dumps({"accessKeyId": keys["AccessKeyId"], "secretAccessKey": keys["SecretAccessKey"]}))
`;
/** Requests above that come before there is anybody who could sign. */
const UNSIGNED_REQUESTS = "3";

async function waitFor(url: string): Promise<void> {
  for (const endsAt = Date.now() + 30_000; Date.now() < endsAt; await sleep(50)) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isThere) return;
  }
  throw new Error(`nobody answers at ${url}`);
}

await describeWithPython(
  "a bucket of another maker (moto)",
  ["moto[s3,server]==5.2.5"],
  (environment) => {
    let bench: FetchingServer;
    let store: ChildProcess;
    let endpoint: string;
    let keys: { accessKeyId: string; secretAccessKey: string };
    beforeAll(async () => {
      const port = await findFreePort();
      endpoint = `http://127.0.0.1:${port}`;
      store = spawn(environment.python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", `${port}`], {
        env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: UNSIGNED_REQUESTS },
        stdio: "ignore",
      });
      await waitFor(`${endpoint}/moto-api/`);
      const { root, remove } = await makeLoosePackage("reviews", "1.0.0");
      keys = JSON.parse(await environment.run(["-c", SET_UP, endpoint, root]));
      await remove();
    }, 90_000);
    afterAll(async () => {
      const ended = once(store, "exit");
      store.kill("SIGKILL");
      await ended;
    });
    beforeEach(async () => {
      bench = await FetchingServer.create();
    });
    afterEach(() => bench.close());

    const startWith = (changes: object) => {
      const bucket = { bucket: "models", prefix: "a folder+more", endpoint, ...keys };
      return bench.start({
        "models.buckets": JSON.stringify([{ region: "eu-central-1", ...bucket, ...changes }]),
      });
    };

    test("is served from, with requests that it finds signed right", async () => {
      await startWith({});
      expect(await bench.ask("reviews")).toBe("1.0.0");
    });

    test("refuses a wrong secret, and a bucket that is not there", async () => {
      await startWith({ secretAccessKey: "wrong" });
      expect(JSON.stringify(bench.server.log)).toContain("SignatureDoesNotMatch");
      await bench.stop();
      await startWith({ bucket: "others" });
      expect(JSON.stringify(bench.server.log)).toContain("NoSuchBucket");
    });
  },
);
