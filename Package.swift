// swift-tools-version: 6.1

import PackageDescription

// Continuous integration sets this; a user's newer compiler must not turn a new warning into a
// failed build.
let isStrict = Context.environment["EXCITE_STRICT"] != nil
let swift: [SwiftSetting] =
  [.swiftLanguageMode(.v6)] + (isStrict ? [.unsafeFlags(["-warnings-as-errors"])] : [])
// Optimizing the tests themselves takes longer than running them as they are.
let test = swift + [.unsafeFlags(["-Onone"])]
let c: [CSetting] =
  isStrict ? [.unsafeFlags(["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"])] : []

let package = Package(
  name: "excite",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "excite", targets: ["excite"]),
    // The method alone, for arrays of others; needs nothing but swift-numerics.
    .library(name: "Excitation", targets: ["Excitation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/onevcat/Rainbow", from: "4.2.0"),
    .package(url: "https://github.com/ordo-one/TextTable", .upToNextMinor(from: "0.0.2")),
    .package(url: "https://github.com/swiftcsv/SwiftCSV", .upToNextMinor(from: "0.10.0")),
  ],
  targets: [
    // C: BLAS loaded at run time, SIMD kernels, what the allocator says, zlib.
    .target(
      name: "COpenBLAS", cSettings: c,
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(
      name: "CKernels", cSettings: c,
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(name: "CProcess", cSettings: c),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    // The engine and the method.
    .target(name: "Tensors", dependencies: ["COpenBLAS", "CKernels"], swiftSettings: swift),
    .target(name: "Layers", dependencies: ["Tensors"], swiftSettings: swift),
    .target(
      name: "Excitation",
      dependencies: [.product(name: "RealModule", package: "swift-numerics")],
      swiftSettings: swift),
    .target(name: "Optimizers", dependencies: ["Tensors", "Excitation"], swiftSettings: swift),
    .target(name: "Models", dependencies: ["Layers"], swiftSettings: swift),

    // Data in, runs through, tables out.
    .target(
      name: "Datasets",
      dependencies: ["Tensors", "CZlib", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: swift),
    .target(
      name: "Text",
      dependencies: ["Datasets", "Tensors", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: swift),
    .target(
      name: "Training", dependencies: ["Models", "Datasets", "Text", "Optimizers"],
      swiftSettings: swift),
    .target(name: "Plots", dependencies: ["CZlib"], swiftSettings: swift),
    .target(
      name: "Reports",
      dependencies: [
        "Plots",
        .product(name: "SwiftCSV", package: "SwiftCSV"),
        .product(name: "TextTable", package: "TextTable"),
        .product(name: "Rainbow", package: "Rainbow"),
      ],
      resources: [.embedInCode("Resources/paper_values.csv")],
      swiftSettings: swift),
    .target(name: "TensorBoard", dependencies: ["Tensors"], swiftSettings: swift),
    .target(
      name: "Experiments",
      dependencies: [
        "CProcess", "Training", "Reports", "Plots", "TensorBoard",
        .product(name: "Yams", package: "Yams"),
        .product(name: "SwiftCSV", package: "SwiftCSV"),
      ],
      swiftSettings: swift),
    .executableTarget(
      name: "excite",
      dependencies: [
        "Experiments", "Text", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),

    // Hostile input for every reader of outside bytes; no product, so that nobody installs it.
    .executableTarget(
      name: "excite-fuzz",
      dependencies: [
        "Experiments", "Text", "CZlib",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),

    // Tests.
    .target(name: "TestSupport", dependencies: ["Tensors"], swiftSettings: swift),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "TestSupport"], swiftSettings: test),
    .testTarget(
      name: "LayersTests", dependencies: ["Layers", "TestSupport"], swiftSettings: test),
    .testTarget(name: "ExcitationTests", dependencies: ["Excitation"], swiftSettings: test),
    .testTarget(
      name: "OptimizersTests", dependencies: ["Optimizers", "TestSupport"], swiftSettings: test),
    .testTarget(
      name: "DatasetsTests",
      dependencies: [
        "Datasets", "TestSupport", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: test),
    .testTarget(
      name: "TextTests",
      dependencies: ["Text", .product(name: "Crypto", package: "swift-crypto")],
      resources: [.copy("Fixtures")],
      swiftSettings: test),
    .testTarget(
      name: "TrainingTests", dependencies: ["Training", "TestSupport"], swiftSettings: test),
    .testTarget(name: "PlotsTests", dependencies: ["Plots", "CZlib"], swiftSettings: test),
    .testTarget(name: "ReportsTests", dependencies: ["Reports", "Plots"], swiftSettings: test),
    .testTarget(name: "TensorBoardTests", dependencies: ["TensorBoard"], swiftSettings: test),
    .testTarget(
      name: "ExperimentsTests", dependencies: ["Experiments", "TestSupport"], swiftSettings: test),
    .testTarget(
      name: "GoldenTests", dependencies: ["Training", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: test),
    .testTarget(
      name: "CommandTests", dependencies: ["excite", "excite-fuzz", "TestSupport"],
      resources: [.copy("HostileInputs")], swiftSettings: test),
  ]
)
