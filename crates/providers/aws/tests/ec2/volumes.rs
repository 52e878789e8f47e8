//! Volumes, their snapshots, and images made of them.

use insta::assert_json_snapshot;
use libcloud_aws::ec2::{
    Ec2CreateImage, Ec2CreateVolume, Ec2CreateVolumeSnapshot, Ec2DetachVolume, Ec2ListVolumes, Filters,
    ImportSnapshot, RegisterImage,
};
use libcloud_common::{ErrorKind, Options, Value, json};
use libcloud_compute::{
    AttachVolume, ComputeDriver as _, ComputeDriverExt as _, CreateImage, CreateVolume, CreateVolumeSnapshot,
    Node, NodeImage, NodeLocation, StorageVolume, StorageVolumeState, VolumeSnapshot, VolumeSnapshotState,
};

use crate::*;

const ZONES: &str = "DescribeAvailabilityZones&Filter.1.Name=region-name&Filter.1.Value.1=us-east-1\
    &Filter.2.Name=state&Filter.2.Value.1=available";

/// A form with a token that was made up at its end, before what names it.
fn creation(before: &str, after: &str) -> Pattern {
    let escaped = |text: &str| text.replace('.', "\\.").replace('+', "\\+");
    let (action, rest) = before.split_once('&').unwrap();
    matching(&format!(
        "Action={action}&Version=2016-11-15&{}&ClientToken=[0-9a-f]{{32}}{}",
        escaped(rest),
        escaped(after)
    ))
}

#[tokio::test]
async fn list_volumes() {
    let server = Mock::start();
    expect(&server, "DescribeVolumes&MaxResults=1000", "DescribeVolumes");
    let driver = driver(&server);
    let volumes = driver.list_volumes().await.unwrap();
    assert_json_snapshot!(volumes);
    assert_eq!(volumes[2].state, StorageVolumeState::Unknown("hibernating".into()));

    expect(
        &server,
        "DescribeVolumes&Filter.1.Name=status&Filter.1.Value.1=in-use\
         &Filter.2.Name=attachment.instance-id&Filter.2.Value.1=i-1&MaxResults=1000",
        "DescribeVolumes.empty",
    );
    let mut arguments = Ec2ListVolumes::default();
    arguments.ex_node = Some("i-1".into());
    arguments.ex_filters = Filters::new().filter("status", ["in-use"]);
    assert_eq!(driver.list_volumes_with(Options::new().ex(&arguments)).await.unwrap(), []);

    expect(&server, "DescribeVolumes&MaxResults=1000", "DescribeVolumes.no-number");
    let error = driver.list_volumes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    assert!(error.to_string().contains("volumeSet/item/size"), "{error}");
}

#[tokio::test]
async fn create_volume() {
    let server = Mock::start();
    let named = "&TagSpecification.1.ResourceType=volume&TagSpecification.1.Tag.1.Key=Name\
        &TagSpecification.1.Tag.1.Value=data&TagSpecification.1.Tag.2.Key=stage\
        &TagSpecification.1.Tag.2.Value=test";
    let sent = "CreateVolume&Size=20&AvailabilityZone=us-east-1b&SnapshotId=snap-1&VolumeType=io2&Iops=400\
        &Throughput=125&Encrypted=true&KmsKeyId=key-1";
    server.expect(answer(creation(sent, named), 200, "CreateVolume"));
    let mut arguments = Ec2CreateVolume::default();
    arguments.ex_volume_type = Some("io2".into());
    arguments.ex_iops = Some(400);
    arguments.ex_throughput = Some(125);
    arguments.ex_encrypted = Some(true);
    arguments.ex_kms_key_id = Some("key-1".into());
    arguments.ex_metadata.insert("stage".into(), "test".into());
    let options = CreateVolume::new()
        .location(&NodeLocation::from_id("us-east-1b"))
        .snapshot(&VolumeSnapshot::from_id("snap-1"))
        .ex(&arguments);
    let driver = driver(&server);
    let volume = driver.create_volume_with(20, "data", options).await.unwrap();
    assert_json_snapshot!(volume);

    // A volume must be in a zone: the first that takes one.
    expect(&server, ZONES, "DescribeAvailabilityZones");
    let sent = "CreateVolume&Size=20&AvailabilityZone=us-east-1a";
    server.expect(answer(creation(sent, ""), 200, "CreateVolume"));
    let volume = driver.create_volume(20, "").await.unwrap();
    assert_eq!((volume.name.as_str(), volume.state), ("vol-0d4", StorageVolumeState::Creating));
}

#[tokio::test]
async fn attach_and_detach_volume() {
    let server = Mock::start();
    let driver = driver(&server);
    let (node, volume) = (Node::from_id("i-1"), StorageVolume::from_id("vol-0a1"));
    expect(&server, "AttachVolume&VolumeId=vol-0a1&InstanceId=i-1&Device=%2Fdev%2Fsdf", "AttachVolume");
    driver.attach_volume_with(&node, &volume, AttachVolume::new().device("/dev/sdf")).await.unwrap();
    // Without a device it is the first that the node has no volume at: `/dev/sdf` and `/dev/sdg` are taken.
    expect(&server, "DescribeInstances&InstanceId.1=i-1", "DescribeInstances.volumes");
    expect(&server, "AttachVolume&VolumeId=vol-0a1&InstanceId=i-1&Device=%2Fdev%2Fsdh", "AttachVolume");
    driver.attach_volume(&node, &volume).await.unwrap();

    expect(&server, "DetachVolume&VolumeId=vol-0a1", "DetachVolume");
    driver.detach_volume(&volume).await.unwrap();
    expect(&server, "DetachVolume&VolumeId=vol-0a1&InstanceId=i-1&Force=true", "DetachVolume");
    let mut arguments = Ec2DetachVolume::default();
    arguments.ex_force = true;
    arguments.ex_node = Some("i-1".into());
    driver.detach_volume_with(&volume, Options::new().ex(&arguments)).await.unwrap();

    refuse(&server, "DeleteVolume&VolumeId=vol-9", 400, "Error.no-volume");
    let error = driver.destroy_volume(&StorageVolume::from_id("vol-9")).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::NotFound, Some(("volume", "vol-9"))));
}

#[tokio::test]
async fn volumes_are_changed() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(&server, "ModifyVolume&Size=40&VolumeType=gp3&VolumeId=vol-0a1", "ModifyVolume");
    let parameters = json!({"Size": 40, "VolumeType": "gp3"});
    let volume = StorageVolume::from_id("vol-0a1");
    let modification = driver.ex_modify_volume(&volume, parameters.as_object().unwrap()).await.unwrap();
    assert_json_snapshot!(modification);

    expect(
        &server,
        "DescribeVolumesModifications&VolumeId.1=vol-0a1&Filter.1.Name=modification-state\
         &Filter.1.Value.1=modifying",
        "DescribeVolumesModifications",
    );
    let filters = Filters::new().filter("modification-state", ["modifying"]);
    let ids = Some(vec!["vol-0a1".into()]);
    let found = driver.ex_describe_volumes_modifications(ids, Some(filters)).await.unwrap();
    assert_eq!(found, [modification]);
}

#[tokio::test]
async fn list_snapshots() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(
        &server,
        "DescribeSnapshots&Filter.1.Name=volume-id&Filter.1.Value.1=vol-0a1&MaxResults=1000",
        "DescribeSnapshots",
    );
    let snapshots = driver.list_volume_snapshots(&StorageVolume::from_id("vol-0a1")).await.unwrap();
    assert_json_snapshot!(snapshots);

    expect(&server, "DescribeSnapshots&Owner.1=self&MaxResults=1000", "DescribeSnapshots.empty");
    assert_eq!(driver.ex_list_snapshots(None, Some("self".into())).await.unwrap(), []);
    expect(&server, "DescribeSnapshots&SnapshotId.1=snap-0a1", "DescribeSnapshots");
    let one = driver.ex_list_snapshots(Some(VolumeSnapshot::from_id("snap-0a1")), None).await.unwrap();
    assert_eq!(one, snapshots);
}

#[tokio::test]
async fn create_and_destroy_snapshot() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(
        &server,
        "CreateSnapshot&VolumeId=vol-0a1&Description=nightly&TagSpecification.1.ResourceType=snapshot\
         &TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=nightly\
         &TagSpecification.1.Tag.2.Key=keep&TagSpecification.1.Tag.2.Value=7",
        "CreateSnapshot",
    );
    let mut arguments = Ec2CreateVolumeSnapshot::default();
    arguments.ex_metadata.insert("keep".into(), "7".into());
    let options = CreateVolumeSnapshot::new().name("nightly").ex(&arguments);
    let volume = StorageVolume::from_id("vol-0a1");
    let snapshot = driver.create_volume_snapshot_with(&volume, options).await.unwrap();
    assert_eq!(
        (snapshot.name.as_deref(), &snapshot.state),
        (Some("nightly"), &VolumeSnapshotState::Creating)
    );
    assert_eq!(snapshot.extra["tags"], json!({"Name": "nightly", "keep": "7"}));
    assert_eq!(snapshot.extra["name"], "nightly");

    done(&server, "DeleteSnapshot&SnapshotId=snap-0c3");
    driver.destroy_volume_snapshot(&snapshot).await.unwrap();
}

#[tokio::test]
async fn a_disk_image_becomes_a_snapshot() {
    let server = Mock::start();
    let driver = driver(&server);
    let disk = json!({"Format": "VMDK", "UserBucket": {"S3Bucket": "disks", "S3Key": "a.vmdk"}});
    let options =
        || ImportSnapshot::new().description("old").disk_container(json!([disk])).role_name("vmimport");
    let sent = || {
        let params = "Description=old&DiskContainer.Format=VMDK&DiskContainer.UserBucket.S3Bucket=disks\
            &DiskContainer.UserBucket.S3Key=a.vmdk&RoleName=vmimport";
        matching(&format!(
            "Action=ImportSnapshot&Version=2016-11-15&{}&ClientToken=[0-9a-f]{{32}}",
            params.replace('.', "\\.")
        ))
    };
    let ask = "DescribeImportSnapshotTasks&ImportTaskId.1=import-snap-1";
    server.expect(answer(sent(), 200, "ImportSnapshot"));
    expect(&server, ask, "DescribeImportSnapshotTasks.active");
    expect(&server, ask, "DescribeImportSnapshotTasks");
    assert_eq!(driver.ex_import_snapshot(options()).await.unwrap().id, "snap-0d4");

    server.expect(answer(sent(), 200, "ImportSnapshot"));
    expect(&server, ask, "DescribeImportSnapshotTasks.failed");
    let error = driver.ex_import_snapshot(options()).await.unwrap_err();
    assert_eq!((error.kind(), error.resource()), (ErrorKind::Provider, Some(("import", "import-snap-1"))));
    assert!(error.to_string().contains("Disk validation failed"), "{error}");
}

#[tokio::test]
async fn images_are_made_copied_and_deleted() {
    let server = Mock::start();
    let driver = driver(&server);
    expect(
        &server,
        "CreateImage&InstanceId=i-1&Name=golden&NoReboot=false&Description=of+the+day\
         &BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsdb&BlockDeviceMapping.1.Ebs.VolumeSize=8\
         &TagSpecification.1.ResourceType=image&TagSpecification.1.Tag.1.Key=stage\
         &TagSpecification.1.Tag.1.Value=test",
        "CreateImage",
    );
    let mut arguments = Ec2CreateImage::default();
    arguments.ex_reboot = true;
    arguments.ex_metadata.insert("stage".into(), "test".into());
    let disk: Value = json!({"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 8}});
    arguments.ex_block_device_mapping = vec![disk.as_object().unwrap().clone()];
    let options = CreateImage::new().description("of the day").ex(&arguments);
    let image = driver.create_image_with(&Node::from_id("i-1"), "golden", options).await.unwrap();
    assert_eq!((image.id.as_str(), image.name.as_str()), ("ami-0d4", "golden"));

    expect(&server, "CreateImage&InstanceId=i-1&Name=plain&NoReboot=true", "CreateImage");
    driver.create_image(&Node::from_id("i-1"), "plain").await.unwrap();

    let sent = "CopyImage&SourceRegion=eu-west-1&SourceImageId=ami-1&Name=copy&Description=here";
    server.expect(answer(creation(sent, ""), 200, "CopyImage"));
    let options = CreateImage::new().description("here");
    let original = NodeImage::from_id("ami-1");
    let copy = driver.copy_image_with("eu-west-1", &original, "copy", options).await.unwrap();
    assert_eq!((copy.id.as_str(), copy.name.as_str()), ("ami-0d4", "copy"));

    expect(
        &server,
        "RegisterImage&Name=own&Architecture=arm64&RootDeviceName=%2Fdev%2Fxvda\
         &BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsdb&BlockDeviceMapping.1.Ebs.VolumeSize=8\
         &VirtualizationType=hvm&EnaSupport=true&BillingProduct.1=bp-1&BootMode=uefi&ImdsSupport=v2.0",
        "RegisterImage",
    );
    let options = RegisterImage::new()
        .architecture("arm64")
        .root_device_name("/dev/xvda")
        .block_device_mapping(&[disk.as_object().unwrap().clone()])
        .virtualization_type("hvm")
        .ena_support(true)
        .billing_products(&["bp-1".into()])
        .boot_mode("uefi")
        .imds_support("v2.0");
    assert_eq!(driver.ex_register_image("own", options).await.unwrap().id, "ami-0d4");

    done(&server, "DeregisterImage&ImageId=ami-0d4");
    driver.delete_image(&image).await.unwrap();
}
