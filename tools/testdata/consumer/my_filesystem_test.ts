import { describeConformance } from "@endio/dio/conformance";
import { MyFilesystem } from "./my_filesystem.ts";
describeConformance({
  name: "myfs",
  mount: (kernel, bdev) => new MyFilesystem(kernel, bdev),
});
