/// Where texts and GPT-2's vocabulary come from. All hosts but the first of each are mirrors.
///
/// WikiText's own host is its author's (wikitext.smerity.com); the one that the paper names is
/// gone. Lengths and SHA-256 of the archives: Hugging Face's `datasets`, wikitext/dataset_infos;
/// nobody publishes an MD5 of them. Of the files inside, only WikiText-2's are documented (by
/// several projects, alike), and of the token files the copies in pytorch/examples,
/// word_language_model/data. GPT-2's: tiktoken's `openai_public.py`.
extension DataCatalog {
  public static let wikitext2 = DataEntry(
    name: .wikitext2, summary: "13 MB of Wikipedia articles, 2.1 M + 0.2 M + 0.2 M words",
    archives: [
      DataArchive(
        fileName: "wikitext-2-raw-v1.zip",
        sources: [
          smerity + "wikitext-2-raw-v1.zip",
          huggingFace + "datasets/ggml-org/ci/resolve/main/wikitext-2-raw-v1.zip",
        ],
        bytes: 4_721_645,
        sha256: "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
        content: .zip(folder: "wikitext-2-raw"))
    ],
    files: [
      DataFile(
        path: "wikitext-2-raw/wiki.train.raw", bytes: 10_940_747,
        sha256: "6707892fa3788b5ab9ed78ab5ff37d9fe825f6011a2ad4fcd6a6d467f0e7da57"),
      DataFile(
        path: "wikitext-2-raw/wiki.valid.raw", bytes: 1_146_846,
        sha256: "4cd0f6876d07a413aa911261ff6d363c72d757d47f0fdd6015702014c89cb9c7"),
      DataFile(
        path: "wikitext-2-raw/wiki.test.raw", bytes: 1_290_590,
        sha256: "173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08"),
    ],
    otherFiles: [
      ("train", "9e9fa1ad55b1c2c95b08e37dd8e653f638fac2c6de904b79e813611eefbc985f"),
      ("valid", "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8"),
      ("test", "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0"),
    ].map { DataFile(path: "wikitext-2/wiki.\($0.0).tokens", bytes: nil, sha256: $0.1) })

  public static let wikitext103 = DataEntry(
    name: .wikitext103, summary: "0.5 GB of Wikipedia articles, 103 M + 0.2 M + 0.2 M words",
    archives: [
      DataArchive(
        fileName: "wikitext-103-raw-v1.zip",
        sources: [
          smerity + "wikitext-103-raw-v1.zip",
          huggingFace
            + "datasets/mattdangerw/wikitext-103-raw/resolve/main/wikitext-103-raw-v1.zip",
        ],
        bytes: 191_984_949,
        sha256: "91c00ae287f0d699e18605c84afc9e45c192bc6b7797ff8837e5474655a33794",
        content: .zip(folder: "wikitext-103-raw"))
    ],
    files: ["train", "valid", "test"].map {
      DataFile(path: "wikitext-103-raw/wiki.\($0).raw", bytes: nil)
    },
    otherFiles: ["train", "valid", "test"].map {
      DataFile(path: "wikitext-103/wiki.\($0).tokens", bytes: nil)
    })

  public static let gpt2 = DataEntry(
    name: .gpt2, summary: "GPT-2's vocabulary, 50,257 tokens",
    archives: [
      gpt2File(
        "encoder.json", huggingFaceName: "vocab.json", bytes: 1_042_301,
        sha256: "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"),
      gpt2File(
        "vocab.bpe", huggingFaceName: "merges.txt", bytes: 456_318,
        sha256: "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
    ],
    files: [
      DataFile(
        path: "gpt2/encoder.json", bytes: 1_042_301,
        sha256: "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"),
      DataFile(
        path: "gpt2/vocab.bpe", bytes: 456_318,
        sha256: "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
    ])

  private static let smerity = "https://wikitext.smerity.com/"
  private static let huggingFace = "https://huggingface.co/"

  private static func gpt2File(
    _ name: String, huggingFaceName: String, bytes: Int, sha256: String
  ) -> DataArchive {
    DataArchive(
      fileName: name,
      sources: [
        "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/" + name,
        "https://dl.fbaipublicfiles.com/fairseq/gpt2_bpe/" + name,
        huggingFace + "openai-community/gpt2/resolve/main/" + huggingFaceName,
      ],
      bytes: bytes, sha256: sha256, content: .file(path: "gpt2/" + name))
  }
}
