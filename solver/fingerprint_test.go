package solver

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// fingerprints are the SHA-256 of all values and state after 200 steps of one
// problem. They come out on every machine and in every build: amd64 with AVX2
// and without (-tags purego), GOAMD64=v3, arm64. make fingerprint runs them.
//
// Those of a signal are of the paper's step, and older than what our defaults
// add to it. The first defaults are those before the Relative signal.
var fingerprints = map[string]string{
	"float32/Funnel's eighteenth defaults":                        "bbce7f5d5eaeccf42c273d477dd29a85c4db075365cf68ad525d97d7ac1903ec",
	"float32/Funnel's eighteenth defaults, after a shift":         "8138bf52fb04e05153aa3de178dfb8e4482afffcdecf7a9caf6303f589a36027",
	"float32/FunnelAdam's eighteenth defaults":                    "278178e054bd7f224e9afa439928281bc1a8005e578dd9b27a4926db2b749e26",
	"float32/FunnelAdam's eighteenth defaults, after a shift":     "99acdf8ffe893ee325e6c6dc7e97db0b861b0c5cbb8654ef9cccb030271babc3",
	"float64/Funnel's eighteenth defaults":                        "296215a09f3e10ce877d4a279d60860a04d8e4a4b956d5ac15187d4b3e68f41c",
	"float64/Funnel's eighteenth defaults, after a shift":         "95ff01311275d1d2371fbab7bca9273ac9b660e807fb9783965bd188c8b9bc82",
	"float64/FunnelAdam's eighteenth defaults":                    "0ead7ef3d77286e769e69fc4917805f6582a7d168a92d3ccecd7e53b08465329",
	"float64/FunnelAdam's eighteenth defaults, after a shift":     "8c09b3e3903fdcfb7feffbca32af5a7ddbd22cfdf5db32a1f01df8cd30a9b5aa",
	"float32/Augment's seventeenth defaults":                      "a5ebe981de5583f422fb513fbbc5837a5bf87de41864080a2adcdc95cdcbd081",
	"float32/Funnel's seventeenth defaults":                       "bbce7f5d5eaeccf42c273d477dd29a85c4db075365cf68ad525d97d7ac1903ec",
	"float32/Funnel's seventeenth defaults, after a shift":        "343489abad025bc5baed171f1589fa0f633a22bb74b6d73c87a55d6ef6e9d983",
	"float32/FunnelAdam's seventeenth defaults":                   "ec362b840d29a8f7e36b4f9743632946c563a8464dfadd65c255207c2ac1f03f",
	"float32/FunnelAdam's seventeenth defaults, after a shift":    "99acdf8ffe893ee325e6c6dc7e97db0b861b0c5cbb8654ef9cccb030271babc3",
	"float64/Augment's seventeenth defaults":                      "c0bbdadc94059614fcaa07c48eadb799b5e968f355ad74052a797d41d147369f",
	"float64/Funnel's seventeenth defaults":                       "296215a09f3e10ce877d4a279d60860a04d8e4a4b956d5ac15187d4b3e68f41c",
	"float64/Funnel's seventeenth defaults, after a shift":        "9f55c0dfdc26688320b4ef0b18d33935ac97866398fb455eba5f9d29a819c564",
	"float64/FunnelAdam's seventeenth defaults":                   "91d94ddde83ac9bb3687aaeb64c6e6aa46934ae24e2bb37c5bc5f1540e12d5b1",
	"float64/FunnelAdam's seventeenth defaults, after a shift":    "8c09b3e3903fdcfb7feffbca32af5a7ddbd22cfdf5db32a1f01df8cd30a9b5aa",
	"float32/Augment's sixteenth defaults":                        "0cbaa6aa629663794bfe0e31237bed942e5e2ccdee25cdb25a4ee3d5ae16f31a",
	"float64/Augment's sixteenth defaults":                        "4c576d3bde4424f27bbdb942f65f457a9eb93ce49db1992359701aabe56591a3",
	"float32/Funnel's sixteenth defaults":                         "b6e6f65a36962c9af2e1e75d019e147e556bbf1da66e8b97a6bfb4329a197f46",
	"float32/Funnel's sixteenth defaults, after a shift":          "1fd50eb4d0c1048383e7368993ffb0fb617f30ae5dec702709bf38afce92600d",
	"float32/FunnelAdam's sixteenth defaults":                     "774e4bcb7b24d0db3867695e58ed5a4b7d3bc3841bea2ae584ce33c9ff7029ec",
	"float32/FunnelAdam's sixteenth defaults, after a shift":      "7b3f039e8cb597dd2d745c1efa97656161e29b22ed3d6564d909cd936b5ddf99",
	"float64/Funnel's sixteenth defaults":                         "ea28f70be266d1ab731a72938894fff57e6d81aaf02547974be635faf42dc06d",
	"float64/Funnel's sixteenth defaults, after a shift":          "fcf4ee2c52311e744c9e3dc0fd1dafa0d6d00d67707b663fbac83c16cc040e43",
	"float64/FunnelAdam's sixteenth defaults":                     "e82fe917ba0acb07a69e9f2907f640806d485fe59de8762d3b29eb7e8370a6c5",
	"float64/FunnelAdam's sixteenth defaults, after a shift":      "40eb132d683ff0a55299d582396e9a2d764945707799feb75d054121911a23e5",
	"float32/Funnel's fourth defaults":                            "0700a2d9a922ebe975b44caf0e38d285b96c5d13b4ae5364bf88002d3824ab3f",
	"float32/FunnelAdam's fourth defaults":                        "1b82efffcc8459d8b6f757d198c728b30e736987c31d8ca0e04b1e43e1fc1133",
	"float32/Augment's fourth defaults":                           "a2e7635bb2290e603095028175ab0e862ed17f84c1d5f59495a9af5a64883265",
	"float64/Funnel's fourth defaults":                            "636b145f6ea2f59b967b33680c55b65989f52c162e3c18989bd6bfa58cfbb90a",
	"float64/FunnelAdam's fourth defaults":                        "357fae18ea39183d0f10bc8a5de1cd98aff1a337ba224c3b5ccee6ee33fb2f3c",
	"float64/Augment's fourth defaults":                           "36d34a13bdb2c501539594399f44ac790e9eced4f047cedf909cd5916f46a4b2",
	"float32/Funnel's third defaults":                             "f81f9d5b57805203e6156b6cf715de56c52cc492bffef1bf4517ca1dfd7b3b6a",
	"float32/FunnelAdam's third defaults":                         "210077353a918558444a32f1ff299af119cc0d734aeaab68a02e1947a8f3adb4",
	"float32/Augment's third defaults":                            "c999f31997e63f420a593404ea5f1064337c3af0732262ffd80537ceb80c014f",
	"float64/Funnel's third defaults":                             "d0f0edc4a885c2a08c4d2f9244b34844bf95e2c823491a1bf45b377bc67f917c",
	"float64/FunnelAdam's third defaults":                         "f97aa0fb33c85e48d29af758310928d293ed1431a60b4845b97c840b05528ad8",
	"float64/Augment's third defaults":                            "5c64c9d58c356668c23ac70fa87383eee5354902d734e8784b34fc46bd230476",
	"float32/Funnel's second defaults":                            "58da514a1caca73752c7a7e7ca8579f8e0d95a69c3b2aa6d277455410fdb8f31",
	"float64/Funnel's second defaults":                            "fcbf0981feb5315fe5f005d94f60e9706dfe6b7842c6e65b7a0675eaf19fb46f",
	"float32/FunnelAdam's second defaults":                        "19e639ae5eda37c85f397c8427857a3b613f54e91d4f0dedad46b917f7a22b07",
	"float64/FunnelAdam's second defaults":                        "9a2e15086c3773712872ab456703af41ed2891117273ee6279375837f02375c6",
	"float32/Augment's second defaults":                           "e4e43c63e919bd076a25d68b14c166ec9ac460bb8c764bc5f50058c19929c4fe",
	"float64/Augment's second defaults":                           "d22322a802c42f56469981d8299609b2373e4a3a7c4c12b147a4d6040ebfdf87",
	"float32/Funnel's fifth defaults":                             "29561904ba1f915e30a310e0ad7065ae749dce760d442c2e681ce4b12f9ee7f1",
	"float64/Funnel's fifth defaults":                             "652bccc0ff7f3f2578958ee813258a76a1c82ad08d428e25f718e1c765b49054",
	"float32/FunnelAdam's fifth defaults":                         "8c83e0b6f43a2436e3626aa6aa19002fab944ef9686a51b01ae4f5ad51e0be09",
	"float64/FunnelAdam's fifth defaults":                         "5aaf88392c730c13d3ba6853e6f298df45dd350eee3991ab50316a85911314ea",
	"float32/Augment's fifth defaults":                            "567aed3395fe289ea16e97af0bed999f38d0b1177482221f2f18550647168ff8",
	"float64/Augment's fifth defaults":                            "76891bc3c89c85c10f3c17a7085215c21f58571c3a69b0586b06de6ca02a47b6",
	"float32/Funnel of before lifted restarts, after a shift":     "f94101ab1146634356b449d0477379093efc9036b2c154c78383b05528ba636d",
	"float64/Funnel of before lifted restarts, after a shift":     "ab56e11b73d80393efb6609be37f64c869f24bfb75c3f45a0e2bfe14844bcaef",
	"float32/FunnelAdam of before lifted restarts, after a shift": "9546d75796798614e4e7f92523624e519f8f017a3642dcb79abf721a1f3c58dd",
	"float64/FunnelAdam of before lifted restarts, after a shift": "4b84cdac6edd7c9ac4fb8e5fc543958292a2405f0833430e8278693462c8f926",
	"float32/Funnel's sixth defaults":                             "29561904ba1f915e30a310e0ad7065ae749dce760d442c2e681ce4b12f9ee7f1",
	"float32/FunnelAdam's sixth defaults":                         "efc235cbdad1c7f0ee9e3885f0d93a9e96d477dd664d9c7666b104ad506a4042",
	"float32/Augment's sixth defaults":                            "567aed3395fe289ea16e97af0bed999f38d0b1177482221f2f18550647168ff8",
	"float64/Funnel's sixth defaults":                             "652bccc0ff7f3f2578958ee813258a76a1c82ad08d428e25f718e1c765b49054",
	"float64/FunnelAdam's sixth defaults":                         "928d309d595f68766b5a40258eba578489ec83e35a74ee795c6d38e624814ace",
	"float64/Augment's sixth defaults":                            "76891bc3c89c85c10f3c17a7085215c21f58571c3a69b0586b06de6ca02a47b6",
	"float32/Funnel's seventh defaults":                           "29561904ba1f915e30a310e0ad7065ae749dce760d442c2e681ce4b12f9ee7f1",
	"float32/FunnelAdam's seventh defaults":                       "73b073d7e5c5f14d36514dd651f4b90873fa048c3a7f49a06a2b23d440d42ece",
	"float32/Augment's seventh defaults":                          "47f9e5dc73cfd0f3ef821c802c658264ae690aacf5cd9cf44a1137a24c081631",
	"float32/FunnelAdam's seventh defaults, after a shift":        "a7b99d429bc577ce65d88ab0e768218e0e4527dee40da138c7d3fb42fcb3d153",
	"float64/Funnel's seventh defaults":                           "652bccc0ff7f3f2578958ee813258a76a1c82ad08d428e25f718e1c765b49054",
	"float64/FunnelAdam's seventh defaults":                       "f284f3eca6331731c6c09c40e6e2086c40161c0e3216753cf5302917d4b9f8ae",
	"float64/Augment's seventh defaults":                          "2e8d2de0c9dcf8a688dce94af64b5b5738c34c8e35994a117451332670258758",
	"float64/FunnelAdam's seventh defaults, after a shift":        "904a15a09f52a365d111fe0ef1ff82185ee04e4dd8b2cd293af085108fb9be8b",
	"float32/Funnel's eighth defaults":                            "29561904ba1f915e30a310e0ad7065ae749dce760d442c2e681ce4b12f9ee7f1",
	"float32/FunnelAdam's eighth defaults":                        "73b073d7e5c5f14d36514dd651f4b90873fa048c3a7f49a06a2b23d440d42ece",
	"float32/Augment's eighth defaults":                           "47f9e5dc73cfd0f3ef821c802c658264ae690aacf5cd9cf44a1137a24c081631",
	"float32/FunnelAdam's eighth defaults, after a shift":         "a7b99d429bc577ce65d88ab0e768218e0e4527dee40da138c7d3fb42fcb3d153",
	"float64/Funnel's eighth defaults":                            "652bccc0ff7f3f2578958ee813258a76a1c82ad08d428e25f718e1c765b49054",
	"float64/FunnelAdam's eighth defaults":                        "f284f3eca6331731c6c09c40e6e2086c40161c0e3216753cf5302917d4b9f8ae",
	"float64/Augment's eighth defaults":                           "2e8d2de0c9dcf8a688dce94af64b5b5738c34c8e35994a117451332670258758",
	"float64/FunnelAdam's eighth defaults, after a shift":         "904a15a09f52a365d111fe0ef1ff82185ee04e4dd8b2cd293af085108fb9be8b",
	"float32/Funnel's ninth defaults":                             "29561904ba1f915e30a310e0ad7065ae749dce760d442c2e681ce4b12f9ee7f1",
	"float32/FunnelAdam's ninth defaults":                         "d2df61ca2c59f86c8f2e3259386909c2473797139513adb7fd77f509e67476a5",
	"float32/Augment's ninth defaults":                            "47f9e5dc73cfd0f3ef821c802c658264ae690aacf5cd9cf44a1137a24c081631",
	"float64/Funnel's ninth defaults":                             "652bccc0ff7f3f2578958ee813258a76a1c82ad08d428e25f718e1c765b49054",
	"float64/FunnelAdam's ninth defaults":                         "3363927092dcabf1d4d9615e70856eacb45d0e8966ec0822a73162d01901ce3a",
	"float64/Augment's ninth defaults":                            "2e8d2de0c9dcf8a688dce94af64b5b5738c34c8e35994a117451332670258758",
	"float32/Funnel's twentieth defaults":                         "1bf0a3b5002f2cd9fd55b343c7787f835760c1478716561efbcf5a12572bf823",
	"float32/Funnel's twentieth defaults, after a shift":          "8a8da5e8c37afd8fdad1800e680e3dc3725ed9480b24527c435b0fbff0511627",
	"float32/Funnel's defaults":                                   "6c0bd063c198299f4bae29cb89a3ff5ed0c5ed03187fb51458d3d8c2d839c504",
	"float64/Funnel's twentieth defaults":                         "0b80f56d6b2d9e195c9447f94c2e1d63fe9953746f299542f6bc10eb17d02e62",
	"float64/Funnel's twentieth defaults, after a shift":          "27c92266ff6ed0dec595d5bc15963443f2f83e863382ff840c212f8cbffbc611",
	"float64/Funnel's defaults":                                   "fc47afc7ae33bc665cee694b4ecc7febb592854f162311849e4cfb0239fffb7f",
	"float32/FunnelAdam's twentieth defaults":                     "9ba74b28df20665f694cc7b16174bce43c795d701b2f5416224745ec070297ab",
	"float32/FunnelAdam's twentieth defaults, after a shift":      "98a5fdb70fce43c38bcd84ea707d21f857be98de51ca9abd1ae23bd760cef129",
	"float32/FunnelAdam's defaults":                               "9ba74b28df20665f694cc7b16174bce43c795d701b2f5416224745ec070297ab",
	"float32/FunnelAdam's nineteenth defaults":                    "d6676a66068d052d164cb87c8e6667bc4253d575cca2852a4720be4a4fb8872a",
	"float32/FunnelAdam's fifteenth defaults":                     "f3b10c81fcd479cd3c1456d545b2a19d9b37a0b37820cce75921dc2da869e64f",
	"float32/FunnelAdam's eleventh defaults":                      "66336666d609fee749f404ac77c71ac82527431cfc26f8ab18f26add3cd2810b",
	"float64/FunnelAdam's twentieth defaults":                     "5a032a29ba7b2621cbbe3fe53642f9caddf7bbb9be68415f1397c741394c62dc",
	"float64/FunnelAdam's twentieth defaults, after a shift":      "d855dfda98e90d96962215a1db76bb5449cbd41af4a0c9a8253d0b81ed96a74c",
	"float64/FunnelAdam's defaults":                               "5a032a29ba7b2621cbbe3fe53642f9caddf7bbb9be68415f1397c741394c62dc",
	"float64/FunnelAdam's nineteenth defaults":                    "a9df59fa719f2829d551684ad231f96f26431dd66897aefeaf0138a0e88abe41",
	"float64/FunnelAdam's fifteenth defaults":                     "b3e06054bdfb5e53853eec4466241a09dd1eaf2e68e2f4f70c2ff7b2fc323fc2",
	"float64/FunnelAdam's eleventh defaults":                      "ed318a1a576f207b528e0924c2a71956b377e70211a005d3b948bcaa74619050",
	"float32/Augment's defaults":                                  "b3696aee25cdc198ab4b2fbc366a2ff9322c6d388767c0218468859e5b54d1f3",
	"float64/Augment's defaults":                                  "597273386dc7617d22cff6592c9f2cc68d3a20b01b404bfe9bca066eecdfa1dd",
	"float32/Augment's twelfth defaults":                          "4a98c308f2d4811a5b04cd4c1d314bc693e1bf0ab375b1d2707a44ffd5415e71",
	"float64/Augment's twelfth defaults":                          "6a7f43aa1fbef5a2f8890d8b5f671b3b890bcf9befb5a0bb8fd720c36ebed49d",

	"float32/FunnelAdam's sixth defaults, after a shift":          "3a8e94e1ed6dc31122631daec8a19b729bb42257a1c56560cdc5979ef0b525ca",
	"float64/FunnelAdam's sixth defaults, after a shift":          "c51f741f249d88c721ae27e786c7bdaa7034b87e61bb21544e676cbcc3810fee",
	"float32/FunnelAdam's ninth defaults, after a shift":          "a806be08c9ab6beb346b5d0db37af0006c33ef52af64f9920acc0162c058e56e",
	"float64/FunnelAdam's ninth defaults, after a shift":          "8d072f56abbcd6f8a7aa92d331a4d6cb29d3363fc4e84d21ebe790b9c812518e",
	"float32/Funnel, after a shift":                               "209bb950d48f961c1a71c0de34b7c3eeee432c9c2c16eb032b96d8b203ebdd0b",
	"float32/Funnel's thirteenth defaults, after a shift":         "b592004b4072dbc5ec02b3fc4feeabdab7d9c207cc988ab483783dadc49040b3",
	"float32/Funnel's tenth defaults, after a shift":              "45c199cd060543ab8013ba894c96ffb52a09343924d4fd0106cac220b06a3636",
	"float32/FunnelAdam, after a shift":                           "98a5fdb70fce43c38bcd84ea707d21f857be98de51ca9abd1ae23bd760cef129",
	"float32/FunnelAdam's nineteenth defaults, after a shift":     "a58169b52efe4ea1a869d997eed753a5c99e44afd94532b4e530d76eb89bcb94",
	"float32/FunnelAdam's fourteenth defaults, after a shift":     "bc2f41c4476b7227e619d857725cc1166441ac043ad8b118393631610b17be45",
	"float32/FunnelAdam's thirteenth defaults, after a shift":     "1aca3f5985c876b23557bdfbcf724f8df1be32e12f8a941c367320a2a46855ce",
	"float32/FunnelAdam's twelfth defaults, after a shift":        "8400b40e67969ee072027999fb1bde99e2edda17b17b156b22bc99b052217663",
	"float32/FunnelAdam's eleventh defaults, after a shift":       "f5d50a56a8e9b75c5a039d217757c5ebe6b1367c875fb55570baa2205d381240",
	"float64/Funnel, after a shift":                               "12e0268ecb6205d8a247f231fe09616effd22d08b8b587ccb3514fa310bb12be",
	"float64/Funnel's thirteenth defaults, after a shift":         "1f064d9d3d2851f5867c7e71da5ef8438f38e0419d99297b5a79e200f6d65ac0",
	"float64/Funnel's tenth defaults, after a shift":              "3dda0d6af22b370c185be00e94013c1585102be84c819f3218711f9b78db2766",
	"float64/FunnelAdam, after a shift":                           "d855dfda98e90d96962215a1db76bb5449cbd41af4a0c9a8253d0b81ed96a74c",
	"float64/FunnelAdam's nineteenth defaults, after a shift":     "361fd25682a43c23831e4eb7e9be86e62bf620a470937b6d691454407f6d86ae",
	"float64/FunnelAdam's fourteenth defaults, after a shift":     "2c392e829a3e1a771233d6cb5249f1a590242ce00cfc70e35f346f4894ba3a5b",
	"float64/FunnelAdam's thirteenth defaults, after a shift":     "5c1ac8ff8ecfad51265469201025de82cdcad97afe772fe93df3c3530ec2fd65",
	"float64/FunnelAdam's twelfth defaults, after a shift":        "6bc2439c3ea57e721b01476b977631a1b2b0b95c9b391174647fce81ad0c8858",
	"float64/FunnelAdam's eleventh defaults, after a shift":       "3b51be80413f7f1ff48ba544e576aacc5fdd24d96d672cbe73506e4ce28bdfa7",
	"float32/Funnel of before prompt restarts, after a shift":     "710dab2bad6e64154103fa950d70ab598ddafefb67baf58840163de514a85067",
	"float32/FunnelAdam of before prompt restarts, after a shift": "2e0d5b6edc6a3c45a27c948869d7ac1ccbffff3ca99951f39de0b03477b0c620",
	"float64/Funnel of before prompt restarts, after a shift":     "142b1d4cea03fda57981fcec7a0e922f3f6ffffae645bc408480bc5c2e2071ab",
	"float64/FunnelAdam of before prompt restarts, after a shift": "c71c551916bcd2bc6fd854239187c7a8956bb760193c574dcaec6b70b6079060",

	"float32/Funnel, many warm-ups":       "48310b9cc6adf7d37b24825f7a79430d11c884a5be35ee1f8cbc15d402ac7e4a",
	"float32/FunnelAdam, many warm-ups":   "167fecccb48894dc9ce7f0320fd3efcb31f978931b679a197ea8ee5389214b87",
	"float64/Funnel, many warm-ups":       "bba32a5a4cdc1733399b6afbf07a44df3c114a5bfad0a57494f9e1f5b2945c12",
	"float64/FunnelAdam, many warm-ups":   "25f445af6cccb933b9c0e0d3b141f09e60acd1a384613ce7fd171a4b1617c9b2",
	"float32/Funnel's first defaults":     "99244abf89601ac024f77528387332a57a5cc14f9edaf22acea782fb4709e65d",
	"float64/Funnel's first defaults":     "cf777b56419dec85471b95949087c37d2a12001f3794515f30788884c7b746d4",
	"float32/FunnelAdam's first defaults": "2ab5137ff753f692e35d6e0aa7e8263955774bc8fcae2d03a90a9ac15467c33b",
	"float64/FunnelAdam's first defaults": "5a43c4ad54626de97c1550654bec25e88272275a979bbcdaef42985da1e160ab",
	"float32/Augment's first defaults":    "036ec09e1fba1e39b60dd100ed10332eae9aec5b8c4442a4008f581ff1c40671",
	"float64/Augment's first defaults":    "76c3986cee8c49eef3547c3954d2d2c66167f14cb1d501f32d9bdbfbf16717e2",

	"float32/Normalized": "d6259b4a1a92c4c278821214bef843bc0e544e11f03575ba51ac9e8638354c25",
	"float32/Raw":        "c26efbeea995d769873af231d5f3053c2ecb2d5c04333f507f8334ad349feb3e",
	"float64/Normalized": "43f6d44b19a886b1b88348204268da9565b7803ef8c0eb0087b76729c3530f39",
	"float64/Raw":        "1e78200a8ae872dfd68d55ae8b43f057943d8ba182fd144d37989274cef0f01d",

	"float32/Normalized, augmented":  "555bad38d7a39e985ae6268ab493c1fdbcea178cbf2462010b2bbca514b660a8",
	"float32/Raw, augmented":         "773887cc69c60a9ce2c2f797e9ce5f6c5b59e5921a2f96bebb85506a7ad8260c",
	"float64/Normalized, augmented":  "bc7810616b4f446d6455fddbea69aecb4e60ef1a26b041bed892c6453aec81fb",
	"float64/Raw, augmented":         "e362d1d5b5c30d5d296766b7a794c96ac7688ca84ba08316ec21b067f9020e1d",
	"float32/Normalized, FunnelAdam": "e458fa2261b90d2d113e4e62e0498d7eed05ab315c3b0ae85ce343c13f3bbe58",
	"float32/Raw, FunnelAdam":        "221b5ca5e32df962f0c993a7a7e16569f39a0b579cb621d6fdb04ebd3aa8e26e",
	"float64/Normalized, FunnelAdam": "7e8c873121288f56dc10966dd234dd58479025ac5fb323aa5ab679455eec771f",
	"float64/Raw, FunnelAdam":        "4690458ea6b0795ff89709cec0c52acfa88807701ac8994f7ce5f0e493b0b6ad",
}

// fixed is a parameter whose gradient pulls it to a target, with noise.
type fixed[T kernel.Float] struct {
	value, gradient []T
	v, g            *tensor.Dense
}

func newFixed[T kernel.Float](n int) *fixed[T] {
	f := &fixed[T]{value: make([]T, n), gradient: make([]T, n)}
	f.v, f.g = tensor.New(tensor.WithBacking(f.value)), tensor.New(tensor.WithBacking(f.gradient))
	return f
}

func (f *fixed[T]) Value() gorgonia.Value         { return f.v }
func (f *fixed[T]) Grad() (gorgonia.Value, error) { return f.g, nil }

func (f *fixed[T]) Name() string {
	return fmt.Sprintf("%v/%d", f.v.Dtype(), len(f.value))
}

// pull sets the gradient, in arithmetic that is exact or rounded explicitly.
func (f *fixed[T]) pull(rng *rand.PCG) {
	for i := range f.gradient {
		noise := T(int64(rng.Uint64())>>40) / (1 << 23)
		f.gradient[i] = T(f.value[i]*0.5) - T(i%7)/4 + noise/8
	}
}

// around is a solver with another around it, whose hyperparameters Apply changes.
type around struct {
	*Augmented
	inner *Funnel
}

func (a around) Apply(opts ...gorgonia.SolverOpt) error { return a.inner.Apply(opts...) }

func newAround(inner *Funnel, opts ...gorgonia.SolverOpt) around {
	return around{Augment(inner, opts...), inner}
}

// fingerprint makes 200 steps of a problem, by all paths of the kernels, with
// values that are first 0, 1 and −1 times this much, and whose targets move far away at a step.
func fingerprint[T kernel.Float](t *testing.T, s Adaptive, value T, shift int) string {
	t.Helper()
	rng := rand.NewPCG(1, 2)
	params := []*fixed[T]{newFixed[T](2*kernel.Block + 3), newFixed[T](131), newFixed[T](8)}
	var model []gorgonia.ValueGrad
	for _, p := range params {
		for i := range p.value {
			p.value[i] = T(i%3-1) * value
		}
		model = append(model, p)
	}
	for step := range 200 {
		for _, p := range params {
			p.pull(rng)
			for i := range p.gradient {
				if step >= shift {
					p.gradient[i] -= 8
				}
			}
		}
		if step == 100 {
			if err := s.Apply(gorgonia.WithL1Reg(0.01), gorgonia.WithL2Reg(0.02), gorgonia.WithBatchSize(3), gorgonia.WithClip(0.3)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Step(model); err != nil {
			t.Fatal(err)
		}
	}
	states := State(s)
	if a, ok := s.(around); ok {
		states = State(a.Augmented)
	}
	h := sha256.New()
	for i, a := range s.Adaptations() {
		state := states[i]
		for _, x := range [][]float64{widen(params[i].value), state[0], state[1], a.Gain, {a.Scale}} {
			for _, v := range x {
				h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestTheSameBitsEverywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	for cores, as := range map[string]func(Adaptive) Adaptive{
		"one core":      func(s Adaptive) Adaptive { return s },
		"several cores": onSeveralCores,
	} {
		t.Run(cores, func(t *testing.T) {
			cases := fingerprinted()
			for name, c := range cases {
				if cores != "one core" && c.earlier { // how work is shared has nothing to do with defaults
					continue
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					for dtype, got := range map[string]string{
						"float32": fingerprint(t, as(c.make()), float32(c.value), c.shift),
						"float64": fingerprint(t, as(c.make()), c.value, c.shift),
					} {
						if want := fingerprints[dtype+"/"+name]; got != want {
							t.Errorf("%s: fingerprint %s, want %s", dtype, got, want)
						}
					}
				})
			}
			if 2*len(cases) != len(fingerprints) {
				t.Errorf("%d fingerprints are recorded for %d solvers", len(fingerprints), len(cases))
			}
		})
	}
}

func onSeveralCores(s Adaptive) Adaptive {
	if a, ok := s.(around); ok {
		InParallel(a.Augmented)
	}
	return InParallel(s)
}

var (
	// late is as it was before one large gradient was enough for a warm-up to begin again.
	late = option(func(h *hyperparameters) { h.prompt, h.once = false, false })
	// held is as it was before a warm-up that begins again lifted the scale in its first step alone.
	held = option(func(h *hyperparameters) { h.once = false })
	// low is as it was before one counted twice relative to the mean of the scale; that began with FunnelAdam.
	low = option(func(h *hyperparameters) { h.once, h.lift = false, 1 })
	// ungated is as it was before no noise was taken off where steps lead on.
	ungated = option(noisy)
	// circling is ungated, and as it was before the last step counted for nothing where gradients are against the step average.
	circling = option(func(h *hyperparameters) {
		h.opposed = false
		noisy(h)
	})
	// undiminished is a Funnel whose noise correction never grew.
	undiminished = option(func(h *hyperparameters) { h.noiseSteps = 0 })
	// unlimited is that, and of before the mean of its scale fell to the longest step's.
	unlimited = option(func(h *hyperparameters) { h.foreseen, h.meanFall, h.noiseSteps = false, 1, 0 })
	// single is circling, and as it was before a step weighed three times as much in a step average, an Augmented's 2.2 times.
	single = option(func(h *hyperparameters) {
		h.averageWeight, h.opposed = 1, false
		noisy(h)
	})
	// brisk is single, and of before step averages grew longer.
	brisk = option(short)
	// arithmetic is as it was before the scale stayed above a fraction of its geometric mean.
	arithmetic = option(func(h *hyperparameters) { h.geometric = false })
	// pooled is arithmetic, and a Funnel of when signals of fewer than a hundred elements were mostly the mean of all.
	pooled = option(func(h *hyperparameters) { h.pooling, h.geometric = 100, false })
	// drawn is arithmetic, and a FunnelAdam of when its scales were drawn together.
	drawn = option(func(h *hyperparameters) { h.pooling, h.scalePooling, h.geometric = 1000, 0.1, false })
	// apart is brisk, and of before its scales were drawn towards their mean.
	apart = option(func(h *hyperparameters) {
		h.scalePooling = 0
		short(h)
	})
	// free is apart, and as it was before the longest step could grow less than its parameters, and the floor be raised.
	free = option(func(h *hyperparameters) {
		h.freeGrowth, h.raisedFloor, h.scalePooling = 0, false, 0
		short(h)
	})
	// bounded is free, and as it was when scales stayed between 1e-9 and 1e9, and a parameter's first step was as long as those of all others.
	bounded = option(func(h *hyperparameters) {
		h.scaleMin, h.scaleMax, h.valueSpread, h.freeGrowth, h.raisedFloor, h.scalePooling = 1e-9, 1e9, 0, 0, false, 0
		short(h)
	})
	// endless is free, and as it was before a scale grew no more on gradients that are next to nothing.
	endless = option(func(h *hyperparameters) {
		h.leastGradient, h.freeGrowth, h.raisedFloor, h.scalePooling = 0, 0, false, 0
		short(h)
	})
	// sudden is endless, and as it was before the longest step counted with gradients that are suddenly larger, and the mean of the scale as no longer.
	sudden = option(func(h *hyperparameters) {
		h.foreseen, h.leastGradient, h.freeGrowth, h.raisedFloor, h.scalePooling = false, 0, 0, false, 0
		short(h)
	})
	// heavy is sudden, and as it was before the momentum was less in a warm-up, and gains learned nothing where a value stayed as it was.
	heavy = option(func(h *hyperparameters) {
		h.momentumWarmup, h.settled, h.foreseen, h.leastGradient, h.freeGrowth, h.raisedFloor, h.scalePooling = 0, false, false, 0, 0, false, 0
		short(h)
	})
	// even is endless, and a Funnel of before its scale fell where the gradient grew.
	even = option(func(h *hyperparameters) {
		h.gradientGrowth, h.leastGradient, h.freeGrowth, h.raisedFloor, h.foreseen, h.meanFall = 0, 0, 0, false, false, 1
		short(h)
		h.noiseSteps = 0
	})
	// steep is what heavy was for a Funnel.
	steep = []gorgonia.SolverOpt{heavy, even, WithNoiseCorrection(1.5)}
	// abrupt is sudden, and a FunnelAdam of before its noise correction grew.
	abrupt = option(func(h *hyperparameters) {
		h.foreseen, h.leastGradient, h.freeGrowth, h.raisedFloor, h.scalePooling = false, 0, 0, false, 0
		short(h)
		h.noiseSteps, h.noiseCorrection = 0, 0.5
	})
	// shrinking is what kept a FunnelAdam's scale low before a third of that noise correction was enough.
	shrinking = []gorgonia.SolverOpt{heavy, abrupt, WithMaxStep(0.04), WithScaleFloor(0.2), WithNoiseCorrection(1.5)}
	slow      = WithGainDecay(0.01) // a FunnelAdam's, then
	// long is what a FunnelAdam's steps were then.
	long = slices.Concat(shrinking, []gorgonia.SolverOpt{slow, WithInitialStep(0.05), WithMaxStep(0.1)})
)

// common is an Augmented of before every parameter had a scale of its own, and noise was corrected.
var common = []gorgonia.SolverOpt{option(func(h *hyperparameters) { h.noiseSteps, h.averageWeight, h.opposed = 0, 1, false }), WithNoiseCorrection(0), WithScaleScope(Global), higher}

// brief is common, and its scale before its step average was smooth, with what went with it.
var brief = []gorgonia.SolverOpt{option(func(h *hyperparameters) {
	h.smooth, h.capEach, h.noiseSteps, h.averageWeight, h.opposed = false, false, 0, 1, false
}), WithScaleScope(Global),
	WithScaleRate(0.05), WithScaleWarmup(0.3, 30), WithMaxStep(0.1), WithNoiseCorrection(0.5), higher}

// higher is the floor of an Augmented's scale before it could fall further.
var higher = WithScaleFloor(0.25)

// short makes step averages what they were before they grew longer.
func short(h *hyperparameters) {
	h.longerAverage, h.averageWeight, h.opposed = 0, 1, false
	noisy(h)
}

// noisy makes the noise correction what it was before it had a gate: a FunnelAdam's grew with the steps.
func noisy(h *hyperparameters) { h.noiseGate, h.noiseSteps = 0, 1000 }

// earlierDefaults are what the defaults were. With options that say so, the bits are
// those of then.
var earlierDefaults = func() map[string]struct{ funnel, adam, augment []gorgonia.SolverOpt } {
	all := func(opts ...[]gorgonia.SolverOpt) []gorgonia.SolverOpt { return slices.Concat(opts...) }
	alone := WithStepAverage(0)
	soft := option(func(h *hyperparameters) { h.firm = false })
	own := []gorgonia.SolverOpt{late, alone, WithSignalPooling(0), soft}
	once := []gorgonia.SolverOpt{late, alone, WithSignalPooling(0), soft, WithScaleRestart(0), WithNoiseLimit(5), WithScaleWarmup(0.3, 30), WithScaleFloor(0.25), WithNoiseCorrection(0.3)}
	cosine := all(once, []gorgonia.SolverOpt{WithScaleSignal(Normalized), WithMaxStep(0), WithScaleFloor(0), WithNoiseCorrection(0)})
	faster := all(cosine, []gorgonia.SolverOpt{WithScaleWarmup(1, 30)})
	slower := []gorgonia.SolverOpt{late, alone, WithScaleWarmup(0.4, 30)}
	funnel := []gorgonia.SolverOpt{WithGainRate(0.02), WithScaleWarmup(0.4, 30)}
	adam := []gorgonia.SolverOpt{WithGainRate(0.01), WithScaleScope(Global)}
	slowly := []gorgonia.SolverOpt{WithGainRate(0.02), WithInitialStep(0.003)}
	both := all(adam, []gorgonia.SolverOpt{WithInitialStep(0.03), WithScaleRate(0.1)})
	softly := []gorgonia.SolverOpt{alone, WithInitialStep(0.01), WithNoiseCorrection(1.5)}
	augment := []gorgonia.SolverOpt{WithScaleRate(0.1), WithInitialStep(0.01)}
	before := []gorgonia.SolverOpt{low}
	defaults := map[string]struct{ funnel, adam, augment []gorgonia.SolverOpt }{
		"first defaults":   {all(cosine, slowly), all(long, faster, both), all(brief, faster, augment)},
		"second defaults":  {all(once, slowly), all(long, once, both), all(brief, once, augment)},
		"third defaults":   {all(own, funnel), all(own, long, adam), all(brief, own, softly)},
		"fourth defaults":  {slower, all(long, []gorgonia.SolverOpt{late, alone}), all(brief, softly)},
		"fifth defaults":   {before, all(long, before), brief},
		"sixth defaults":   {before, all(shrinking, []gorgonia.SolverOpt{held, slow, WithMaxStep(0.03)}), brief},
		"seventh defaults": {before, all(shrinking, []gorgonia.SolverOpt{held}), common},
		"eighth defaults":  {nil, shrinking, common},
		"ninth defaults":   {nil, []gorgonia.SolverOpt{heavy, abrupt}, common},
	}
	for name, of := range defaults {
		of.funnel = all(steep, of.funnel)
		defaults[name] = of
	}
	return defaults
}()

// fingerprintedCase is what a fingerprint is of: see fingerprint.
type fingerprintedCase struct {
	make    func() Adaptive
	value   float64
	shift   int
	earlier bool // whether it is of an earlier version's defaults
}

// fingerprinted are the cases, by their names in fingerprints.
func fingerprinted() map[string]fingerprintedCase {
	cases, earlier := map[string]fingerprintedCase{}, false
	quiet := func(name string, make func() Adaptive) { cases[name] = fingerprintedCase{make, 1, 200, earlier} }
	shifted := func(name string, make func() Adaptive) {
		cases[name+", after a shift"] = fingerprintedCase{make, 1, 90, earlier}
	}
	paper := func(name string, make func() Adaptive) { cases[name] = fingerprintedCase{make, 0, 200, earlier} }
	funnel := func(opts ...gorgonia.SolverOpt) func() Adaptive {
		if earlier {
			opts = slices.Concat([]gorgonia.SolverOpt{pooled}, opts)
		}
		return func() Adaptive { return NewFunnel(opts...) }
	}
	funnelAdam := func(opts ...gorgonia.SolverOpt) func() Adaptive {
		if earlier {
			opts = slices.Concat([]gorgonia.SolverOpt{drawn}, opts)
		}
		return func() Adaptive { return NewFunnelAdam(opts...) }
	}
	augment := func(inner []gorgonia.SolverOpt, opts ...gorgonia.SolverOpt) func() Adaptive {
		inner = slices.Concat([]gorgonia.SolverOpt{pooled}, inner)
		return func() Adaptive { return newAround(NewFunnel(inner...), opts...) }
	}
	inner := []gorgonia.SolverOpt{free, unlimited}

	quiet("Funnel's defaults", funnel())
	quiet("FunnelAdam's defaults", funnelAdam())
	quiet("Augment's defaults", augment(inner))
	shifted("Funnel", funnel())
	shifted("FunnelAdam", funnelAdam())

	often := []gorgonia.SolverOpt{WithScaleRestart(0.5), WithScaleRate(2), WithScaleFloor(0.01), WithScaleWarmup(0.5, 3)}
	quiet("Funnel, many warm-ups", funnel(slices.Concat([]gorgonia.SolverOpt{pooled}, steep, often)...))
	quiet("FunnelAdam, many warm-ups", funnelAdam(slices.Concat([]gorgonia.SolverOpt{drawn}, shrinking, often)...))

	for signal, adamScaleRate := range map[Signal]float64{Normalized: 0.1, Raw: 1e-6} {
		opts := []gorgonia.SolverOpt{
			WithPaperStep(), WithGainRate(0.01), WithScaleBounds(0.001, 1000),
			WithGainSignal(signal), WithScaleSignal(signal), WithScaleRate(0.001), gorgonia.WithLearnRate(0.03),
		}
		name := signal.String()
		paper(name, funnel(opts...))
		paper(name+", augmented", augment(opts, append(slices.Clone(opts), WithScaleBounds(0.5, 2))...))
		paper(name+", FunnelAdam", funnelAdam(append(slices.Clone(opts), gorgonia.WithLearnRate(0.01), WithGainRate(0.003), WithScaleRate(adamScaleRate))...))
	}

	earlier = true
	for before, o := range map[string]gorgonia.SolverOpt{"lifted": low, "prompt": late} {
		shifted("Funnel of before "+before+" restarts", funnel(slices.Concat(steep, []gorgonia.SolverOpt{o})...))
		shifted("FunnelAdam of before "+before+" restarts", funnelAdam(slices.Concat([]gorgonia.SolverOpt{o}, long)...))
	}
	for name, of := range earlierDefaults {
		quiet("Funnel's "+name, funnel(of.funnel...))
		quiet("FunnelAdam's "+name, funnelAdam(of.adam...))
		quiet("Augment's "+name, augment(of.funnel, of.augment...))
	}
	for _, name := range []string{"sixth defaults", "seventh defaults", "eighth defaults", "ninth defaults"} {
		shifted("FunnelAdam's "+name, funnelAdam(earlierDefaults[name].adam...))
	}
	shifted("Funnel's tenth defaults", funnel(even))
	quiet("FunnelAdam's eleventh defaults", funnelAdam(abrupt))
	shifted("FunnelAdam's eleventh defaults", funnelAdam(abrupt))
	shifted("FunnelAdam's twelfth defaults", funnelAdam(sudden))
	quiet("Augment's twelfth defaults", augment(inner, common...))
	shifted("Funnel's thirteenth defaults", funnel(free, unlimited))
	shifted("FunnelAdam's thirteenth defaults", funnelAdam(free))
	shifted("FunnelAdam's fourteenth defaults", funnelAdam(apart))
	quiet("FunnelAdam's fifteenth defaults", funnelAdam(brisk))
	quiet("Funnel's sixteenth defaults", funnel(brisk, unlimited))
	shifted("Funnel's sixteenth defaults", funnel(brisk, unlimited))
	quiet("FunnelAdam's sixteenth defaults", funnelAdam(single))
	shifted("FunnelAdam's sixteenth defaults", funnelAdam(single))
	quiet("Augment's sixteenth defaults", augment(inner, single, higher))
	quiet("Funnel's seventeenth defaults", funnel(circling, unlimited))
	shifted("Funnel's seventeenth defaults", funnel(circling, unlimited))
	quiet("FunnelAdam's seventeenth defaults", funnelAdam(circling))
	shifted("FunnelAdam's seventeenth defaults", funnelAdam(circling))
	quiet("Augment's seventeenth defaults", augment(inner, circling, higher))
	quiet("Funnel's eighteenth defaults", funnel(ungated, undiminished))
	shifted("Funnel's eighteenth defaults", funnel(ungated, undiminished))
	quiet("FunnelAdam's eighteenth defaults", funnelAdam(ungated))
	shifted("FunnelAdam's eighteenth defaults", funnelAdam(ungated))
	quiet("FunnelAdam's nineteenth defaults", funnelAdam())
	shifted("FunnelAdam's nineteenth defaults", funnelAdam())
	quiet("FunnelAdam's twentieth defaults", func() Adaptive { return NewFunnelAdam(arithmetic) })
	shifted("FunnelAdam's twentieth defaults", func() Adaptive { return NewFunnelAdam(arithmetic) })
	quiet("Funnel's twentieth defaults", funnel())
	shifted("Funnel's twentieth defaults", funnel())
	return cases
}

var update = flag.Bool("update", false, "write testdata/*.safetensors anew")

// resumed are checkpoints that one build wrote, and the SHA-256 of what every
// build saves fifty steps later.
var resumed = map[string]struct {
	make        func() gorgonia.Solver
	fingerprint string
}{
	"funnel":     {func() gorgonia.Solver { return NewFunnel() }, "60191b375631df54fa5f9b3574e135fd916e46ecfabf9da3e660753f63a42ec2"},
	"funneladam": {func() gorgonia.Solver { return NewFunnelAdam() }, "63c6624ce1406e9b968b683734c1effe35efdf0ea14fbdd19b9381c738672010"},
	"egu":        {func() gorgonia.Solver { return NewEGU(gorgonia.WithLearnRate(0.01)) }, "2e1db957f7a4c21dfa8f5037e2ef6e4ee1d98c4454d12a3db99667fe7ff955f5"},
	"augmented":  {func() gorgonia.Solver { return Augment(NewFunnel(WithScaleRate(0))) }, "db4ed2fde0c60cbf496de9ec290945b5f90abe8361d56c6e155370f7a68fdc97"},
}

func TestTheSameBitsFromACheckpoint(t *testing.T) {
	for name, c := range resumed {
		file := filepath.Join("testdata", name+".safetensors")
		if *update {
			s, model := c.make(), newPulled()
			model.steps(t, s, 0, 30)
			if err := Save(file, model.valueGrads(), s); err != nil {
				t.Fatal(err)
			}
		}
		s, model := c.make(), newPulled()
		if err := Load(file, model.valueGrads(), s); err != nil {
			t.Fatal(err)
		}
		if want, err := os.ReadFile(file); err != nil || !bytes.Equal(model.saved(t, s), want) {
			t.Errorf("%s: saved, it is another file (%v)", file, err)
		}
		model.steps(t, s, 30, 80)
		if got := fmt.Sprintf("%x", sha256.Sum256(model.saved(t, s))); got != c.fingerprint {
			t.Errorf("%s: fingerprint %s, want %s", name, got, c.fingerprint)
		}
	}
}

// models are the SHA-256 of what every build saves of several parameters after 80 steps,
// some of which begin at 0.
var models = map[string]struct {
	make        func() gorgonia.Solver
	fingerprint string
}{
	"funnel": {func() gorgonia.Solver { return NewFunnel() }, "ce811a90f26106f72b310f16c5a90f488ab1d415571b051185ca344b2def2359"},
	"funnel of before small parameters had signals of their own":  {func() gorgonia.Solver { return NewFunnel(pooled) }, "49524b066311dad0909ee8d931ee17fa923e65a620745af4936b6d7d33cecfe4"},
	"funnel of before its noise correction had a gate":            {func() gorgonia.Solver { return NewFunnel(pooled, ungated, undiminished) }, "c20455661ee38dbbaef39ae48582310146e060fe294bddc93c3cdef526e3c811"},
	"funneladam of before its noise correction had a gate":        {func() gorgonia.Solver { return NewFunnelAdam(drawn, ungated) }, "f130601c5df19b97881a72b9c0353737731af4298248e23bacad07c83b0176cb"},
	"funnel of before growth had a limit":                         {func() gorgonia.Solver { return NewFunnel(pooled, free, unlimited) }, "6e95df305598206753a9b14ae7bf9a9cbad339d62a6e0400dc191062e1500ab1"},
	"funnel of before scales had wider bounds":                    {func() gorgonia.Solver { return NewFunnel(pooled, bounded, unlimited) }, "db67bf025028dbb4ecb0dd7b8b96e27fa049b00a14eb39d934afe58d49c45f93"},
	"funnel of before h was 1.5":                                  {func() gorgonia.Solver { return NewFunnel(pooled, bounded, endless, unlimited, WithGradientGrowth(2)) }, "e2d1e9cdd7c70f39ea789ae0ea325da9cf5cf0b96f0698462e5179b97734b351"},
	"funneladam":                                                  {func() gorgonia.Solver { return NewFunnelAdam() }, "642b9a8f5bf0c0560562c323c1c4edf62140032a9321ba13cf024355ef2449ae"},
	"funnel of before its average grew longer":                    {func() gorgonia.Solver { return NewFunnel(pooled, brisk, unlimited) }, "59a5b1f18f6c2d6bdadf6cc85980363c1572d87211b63c8017669740f87c1546"},
	"funnel of before the mean of its scale was limited":          {func() gorgonia.Solver { return NewFunnel(pooled, circling, unlimited) }, "550350c8222e234f8b0694fb5b1c80ff79380792e76fcc3271f73c81976a7096"},
	"funneladam of before its floor had a geometric mean":         {func() gorgonia.Solver { return NewFunnelAdam(arithmetic) }, "4d6c6bec2d5373969295a712bb77c2e0dbcb8d19c71ebd60f732c6842ac95fb5"},
	"funneladam of when its scales were drawn together":           {func() gorgonia.Solver { return NewFunnelAdam(drawn) }, "c853291b652754e6db9024fdc73fca15884f3b62c349c283df9bac67823ab091"},
	"funneladam of before gradients could be against its average": {func() gorgonia.Solver { return NewFunnelAdam(drawn, circling) }, "19b7c544d5256ec2afaa1dc7ef657e3984d3d9644aa5067f7cb45e7bd82a0f63"},
	"funneladam of before a step weighed more":                    {func() gorgonia.Solver { return NewFunnelAdam(drawn, single) }, "da75583a98c41d7c679b4983e24beaf547469a13967b23340650a814072a14eb"},
	"funneladam of before its average grew longer":                {func() gorgonia.Solver { return NewFunnelAdam(drawn, brisk) }, "ff6d1f5b3cfb7577be0277d12161bbec4ae675252c688db9c4a77589fbc9215c"},
	"funneladam of before scales were pooled":                     {func() gorgonia.Solver { return NewFunnelAdam(drawn, apart) }, "edfafd035da5bb81f9bcdcbb2a4f0b2a207e8e461529f565eea299454583ed24"},
	"funneladam of before growth had a limit":                     {func() gorgonia.Solver { return NewFunnelAdam(drawn, free) }, "77dc62dcbbc227cf95850de12352d9526abe4286c3f072d006d594fddba03e8f"},
	"funneladam of before scales had wider bounds":                {func() gorgonia.Solver { return NewFunnelAdam(drawn, bounded) }, "24609a5f8f7be24bee79328ab1e7f59db00a21e593ecea2c87852db49904aea0"},
	"funneladam of before scales stopped growing":                 {func() gorgonia.Solver { return NewFunnelAdam(drawn, bounded, endless) }, "6f12a6489e9404e6b1b0a785907d49cf94deaea3fe9c6fe3bbc99a1637abcd42"},
	"funneladam of before it foresaw sudden gradients":            {func() gorgonia.Solver { return NewFunnelAdam(drawn, bounded, sudden) }, "91e9a7676064f8f390eb76712143bc7694840df8622a74e822abe64668c31722"},
}

func TestTheSameBitsOfAModel(t *testing.T) {
	for name, c := range models {
		s, model := c.make(), newPulled()
		model.narrow.v.Zero()
		model.double.v.Zero()
		model.steps(t, s, 0, 80)
		if got := fmt.Sprintf("%x", sha256.Sum256(model.saved(t, s))); got != c.fingerprint {
			t.Errorf("%s: fingerprint %s, want %s", name, got, c.fingerprint)
		}
	}
}

// pulled is a model of both dtypes whose gradients are those of fixed.
type pulled struct {
	wide, narrow *fixed[float32]
	double       *fixed[float64]
}

func newPulled() *pulled {
	p := &pulled{newFixed[float32](131), newFixed[float32](8), newFixed[float64](67)}
	p.wide.v.Memset(float32(1))
	p.narrow.v.Memset(float32(1))
	p.double.v.Memset(1.0)
	return p
}

func (p *pulled) valueGrads() []gorgonia.ValueGrad {
	return []gorgonia.ValueGrad{p.wide, p.narrow, p.double}
}

func (p *pulled) steps(t *testing.T, s gorgonia.Solver, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		rng := rand.NewPCG(3, uint64(i))
		p.wide.pull(rng)
		p.narrow.pull(rng)
		p.double.pull(rng)
		if err := s.Step(p.valueGrads()); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pulled) saved(t *testing.T, s gorgonia.Solver) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p.valueGrads(), s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
