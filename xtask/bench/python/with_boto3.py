# The jobs through boto3.
#   PYTHON with_boto3.py JOB --port 9900 [--n N] [--conc N] [--bucket B] [--file PATH]
import sys
import time
from concurrent.futures import ThreadPoolExecutor

start = time.time()
args = {"port": "9900", "n": "0", "conc": "1", "bucket": "bench", "file": "", "out": ""}
job = sys.argv[1]
for flag, value in zip(sys.argv[2::2], sys.argv[3::2]):
    args[flag.lstrip("-")] = value
port, n, conc = args["port"], int(args["n"]), int(args["conc"])

import boto3
from botocore.config import Config


def client(service):
    return boto3.client(
        service,
        endpoint_url="http://127.0.0.1:" + port,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(max_pool_connections=max(10, conc), s3={"addressing_style": "path"}),
    )


def spread(work):
    with ThreadPoolExecutor(conc) as pool:
        return sum(pool.map(work, range(n)))


def run():
    if job == "list":
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=args["bucket"])
        return sum(len(p["Contents"]) for p in pages)
    if job == "get":
        body = client("s3").get_object(Bucket="bench", Key="size-1073741824")["Body"]
        return sum(len(b) for b in body.iter_chunks(1 << 20))
    if job == "put":
        client("s3").upload_file(args["file"], "bench", "up")
        return 1 << 30
    if job == "put-small":
        c, body = client("s3"), b"\7" * 4096
        return spread(lambda i: bool(c.put_object(Bucket="bench", Key="up/%06d.bin" % i, Body=body)))
    if job == "get-small":
        c = client("s3")
        return spread(lambda i: len(c.get_object(Bucket="bench", Key="small/%06d.bin" % i)["Body"].read()) == 4096)
    if job == "ec2-list":
        pages = client("ec2").get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 1000})
        return sum(len(r["Instances"]) for p in pages for r in p["Reservations"])
    if job == "r53-list":
        pages = client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId="Z1")
        return sum(len(p["ResourceRecordSets"]) for p in pages)
    if job == "create":
        c = client("ec2")
        return spread(lambda i: len(c.run_instances(ImageId="ami-1", InstanceType="m5.large", MinCount=1, MaxCount=1)["Instances"]))
    if job == "cold":
        return len(client("s3").list_buckets()["Buckets"])
    sys.exit("no job " + job)


print("%s %s %.4fs" % (job, run(), time.time() - start))
