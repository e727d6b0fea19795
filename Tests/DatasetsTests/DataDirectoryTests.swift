import Datasets
import Foundation
import Testing

@Suite struct DataDirectoryTests {
  static let home = ["HOME": "/home/ada"]
  #if os(macOS)
    static let cache = "/home/ada/Library/Caches/excite"
  #else
    static let cache = "/home/ada/.cache/excite"
  #endif

  @Test func flagThenVariableThenCache() {
    var environment = Self.home
    environment["EXCITE_DATA"] = "/big/data"
    #expect(DataDirectory.resolve(flag: "/mine", environment: environment).path == "/mine")
    #expect(DataDirectory.resolve(flag: nil, environment: environment).path == "/big/data")
    #expect(DataDirectory.resolve(flag: nil, environment: Self.home).path == Self.cache)
  }

  @Test func emptyTextsCountAsAbsent() {
    let environment = Self.home.merging(["EXCITE_DATA": "", "XDG_CACHE_HOME": ""]) { $1 }
    #expect(DataDirectory.resolve(flag: "", environment: environment).path == Self.cache)
  }

  @Test func expandsTheHomeFolder() {
    #expect(
      DataDirectory.resolve(flag: "~/sets", environment: Self.home).path == "/home/ada/sets")
    #expect(
      DataDirectory.resolve(flag: nil, environment: Self.home.merging(["EXCITE_DATA": "~"]) { $1 })
        .path == "/home/ada")
  }

  #if !os(macOS)
    @Test func followsTheXDGVariableWhenItIsAbsolute() {
      let absolute = Self.home.merging(["XDG_CACHE_HOME": "/var/cache/ada"]) { $1 }
      let relative = Self.home.merging(["XDG_CACHE_HOME": "cache"]) { $1 }
      #expect(
        DataDirectory.resolve(flag: nil, environment: absolute).path == "/var/cache/ada/excite")
      #expect(DataDirectory.resolve(flag: nil, environment: relative).path == Self.cache)
    }
  #endif

  @Test func fetchCommandNamesTheFolderUnlessItIsTheUsualOne() {
    func command(_ path: String) -> String {
      DataDirectory.fetchCommand(
        .svhn, directory: URL(fileURLWithPath: path, isDirectory: true), environment: Self.home)
    }
    #expect(command(Self.cache) == "excite data fetch svhn")
    #expect(command("/data") == "excite data fetch svhn --data-dir /data")
    #expect(command("/my data/it's") == "excite data fetch svhn --data-dir '/my data/it'\\''s'")
  }
}
