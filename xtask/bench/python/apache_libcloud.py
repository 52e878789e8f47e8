# The jobs through Apache Libcloud.
#   PYTHON apache_libcloud.py JOB --port 9900 [--n N] [--conc N] [--bucket B] [--file PATH] [--out PATH]
from __future__ import print_function

import sys
import time

start = time.time()

args = {"port": "9900", "n": "0", "conc": "1", "bucket": "bench", "file": "", "out": "/dev/null"}
job = sys.argv[1]
for flag, value in zip(sys.argv[2::2], sys.argv[3::2]):
    args[flag.lstrip("-")] = value
port, n, conc = int(args["port"]), int(args["n"]), int(args["conc"])


def s3():
    from libcloud.storage.drivers.s3 import S3StorageDriver

    return S3StorageDriver("key", "secret", secure=False, host="127.0.0.1", port=port)


def bucket(driver):
    from libcloud.storage.base import Container

    return Container(args["bucket"], {}, driver)


def thing(driver, name, size):
    from libcloud.storage.base import Object

    return Object(name, size, None, {}, {}, bucket(driver), driver)


def ec2():
    from libcloud.compute.providers import get_driver
    from libcloud.compute.types import Provider

    return get_driver(Provider.EC2)("key", "secret", secure=False, host="127.0.0.1", port=port)


def spread(work, make):
    """n calls of work(driver, i) over conc threads, a driver each: the library is not thread-safe."""
    if conc == 1:
        driver = make()
        for i in range(n):
            work(driver, i)
        return n
    import threading

    errors = []

    def worker(first):
        try:
            driver = make()
            for i in range(first, n, conc):
                work(driver, i)
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=worker, args=(i,)) for i in range(conc)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    if errors:
        raise errors[0]
    return n


def run():
    if job == "list":
        d = s3()
        c = bucket(d)
        it = getattr(d, "iterate_container_objects", None)
        return sum(1 for _ in (it(c) if it else d.list_container_objects(c)))
    if job == "get":
        d = s3()
        size = 1 << 30
        o = thing(d, "size-%d" % size, size)
        if args["out"] == "/dev/null":
            return sum(len(b) for b in d.download_object_as_stream(o, chunk_size=1 << 20))
        assert d.download_object(o, args["out"], overwrite_existing=True)
        return size
    if job == "put":
        d = s3()
        return d.upload_object(args["file"], bucket(d), "up").size
    if job == "put-stream":
        d = s3()

        def blocks():
            with open(args["file"], "rb") as f:
                while True:
                    b = f.read(1 << 20)
                    if not b:
                        return
                    yield b

        return d.upload_object_via_stream(blocks(), bucket(d), "up").size
    if job == "put-small":
        path = args["file"]
        return spread(lambda d, i: d.upload_object(path, bucket(d), "up/%06d.bin" % i), s3)
    if job == "get-small":
        def one(d, i):
            o = thing(d, "small/%06d.bin" % i, 4096)
            assert sum(len(b) for b in d.download_object_as_stream(o)) == 4096

        return spread(one, s3)
    if job == "ec2-list":
        return len(ec2().list_nodes())
    if job == "create":
        from libcloud.compute.base import NodeImage, NodeSize

        def one(d, i):
            size = NodeSize("m5.large", "m5.large", 8192, None, None, None, d)
            image = NodeImage("ami-1", "ami-1", d)
            assert d.create_node(name="node-%d" % i, size=size, image=image).id

        return spread(one, ec2)
    if job == "nova-list":
        from libcloud.compute.providers import get_driver
        from libcloud.compute.types import Provider

        d = get_driver(Provider.OPENSTACK)(
            "user", "password", secure=False, host="127.0.0.1", port=port,
            ex_force_base_url="http://127.0.0.1:%d/v2.1" % port,
            ex_force_auth_url="http://127.0.0.1:%d" % port,
            ex_force_auth_version="2.0_password", ex_force_auth_token="t", ex_tenant_name="p1",
        )
        return len(d.list_nodes())
    if job == "r53-list":
        from libcloud.dns.base import Zone
        from libcloud.dns.providers import get_driver
        from libcloud.dns.types import Provider

        d = get_driver(Provider.ROUTE53)("key", "secret", secure=False, host="127.0.0.1", port=port)
        z = Zone("Z1", "bench.example.", "master", 300, d)
        return len(d.list_records(z))
    if job == "cold":
        d = s3()
        call = getattr(d, "list_containers")
        return len(call())
    sys.exit("no job " + job)


count = run()
print("%s %s %.4fs" % (job, count, time.time() - start))
