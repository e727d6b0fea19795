// swift-tools-version: 6.1

import PackageDescription

// How another package uses the library. Of excite's dependencies it needs swift-numerics alone.
let package = Package(
  name: "LibraryExample",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "excite", path: "../..")],
  targets: [
    .executableTarget(
      name: "LibraryExample", dependencies: [.product(name: "Excitation", package: "excite")])
  ]
)
