"""Synonyms of oncology molecules that nobody disputes: facts, so that sources which never meet still join.

How they were chosen: a research code, a chemical name or a laboratory abbreviation that stands for exactly one
molecule in oncology, listed under its international nonproprietary name (INN) where it has one. A salt is listed only
where its ending may also mean an ester elsewhere (see names.canonical_key for the others); French INNs
where they are spelled differently. Left out: whatever is another substance under a like name (prodrugs
such as abiraterone acetate, single isomers, liposomal, pegylated or albumin-bound forms), class names (interferon,
G-CSF), regimens (FOLFOX), and short abbreviations with several meanings.
A centre's own synonyms belong into its registry.
"""

from __future__ import annotations

_TABLE = """
abemaciclib: LY2835219
abexinostat: PCI-24781
acalabrutinib: ACP-196
adagrasib: MRTX849
afatinib: BIBW 2992
aflibercept: ziv-aflibercept, VEGF Trap
aldoxorubicin: INNO-206
alectinib: CH5424802, RO5424802, AF802
alisertib: MLN8237
alpelisib: BYL719
alvespimycin: 17-DMAG
alvocidib: flavopiridol, HMR-1275
amuvatinib: MP-470
apalutamide: ARN-509
arsenic trioxide: As2O3, trioxyde d'arsenic
asparaginase: L-asparaginase
atezolizumab: MPDL3280A
avapritinib: BLU-285
avelumab: MSB0010718C
axitinib: AG-013736
azacitidine: 5-azacytidine, 5-azacitidine, azacytidine
barasertib: AZD1152
belinostat: PXD101
belotecan: CKD-602
bicalutamide: ICI 176334
binimetinib: MEK162, ARRY-438162
bleomycin: bléomycine, bleomycin sulfate
bortezomib: PS-341
bosutinib: SKI-606
brentuximab vedotin: SGN-35
brigatinib: AP26113
buparlisib: BKM120, NVP-BKM120
cabozantinib: XL184, cabozantinib s-malate, cabozantinib malate
capmatinib: INC280
carboplatin: CBDCA, carboplatine
carfilzomib: PR-171
carmustine: BCNU
cediranib: AZD2171
ceritinib: LDK378
cetuximab: IMC-C225
chlormethine: mechlorethamine
cisplatin: CDDP, cis-platinum, cis-diamminedichloroplatinum, cisplatine
cixutumumab: IMC-A12
cladribine: 2-CdA, 2-chlorodeoxyadenosine
cobimetinib: GDC-0973, XL518
copanlisib: BAY 80-6946
crizotinib: PF-02341066
cyclophosphamide: Endoxan, Cytoxan
cytarabine: Ara-C, cytosine arabinoside
dabrafenib: GSK2118436
dacarbazine: DTIC
dacomitinib: PF-00299804, PF-299804
dactolisib: BEZ235, NVP-BEZ235
dalotuzumab: MK-0646
danusertib: PHA-739358
darolutamide: ODM-201
dasatinib: BMS-354825
daunorubicin: daunomycin, daunorubicine
decitabine: 5-aza-2'-deoxycytidine
dinaciclib: SCH 727965
docetaxel: Taxotere
dovitinib: TKI258, CHIR-258
doxifluridine: 5'-DFUR
doxorubicin: Adriamycin, doxorubicine
durvalumab: MEDI4736
duvelisib: IPI-145
elacytarabine: CP-4055
elotuzumab: HuLuc63
enasidenib: AG-221
encorafenib: LGX818
entinostat: MS-275, SNDX-275
entrectinib: RXDX-101
enzalutamide: MDV3100
enzastaurin: LY317615
epirubicin: 4'-epidoxorubicin, epirubicine
erdafitinib: JNJ-42756493
eribulin: E7389, éribuline
erlotinib: OSI-774, CP-358774, CP-358,774, Tarceva
etoposide: VP-16, VP-16-213
everolimus: RAD001
evofosfamide: TH-302
fenretinide: 4-HPR
figitumumab: CP-751871, CP-751,871
filanesib: ARRY-520
floxuridine: FUDR, FdUrd, 5-fluoro-2'-deoxyuridine
fluorouracil: 5-FU, 5-fluorouracil, fluorouracile
folinic acid: leucovorin, acide folinique, leucovorin calcium, calcium folinate
foretinib: XL880
fosbretabulin: CA4P, combretastatin A4 phosphate
fulvestrant: ICI 182780, ICI 182,780
ganetespib: STA-9090
ganitumab: AMG 479
gefitinib: ZD1839, Iressa
gemcitabine: dFdC, LY188011
gemtuzumab ozogamicin: CMA-676
gilteritinib: ASP2215
glasdegib: PF-04449913
glembatumumab vedotin: CDX-011, CR011-vcMMAE
goserelin: goserelin acetate
hydroxycarbamide: hydroxyurea
ibrutinib: PCI-32765
idarubicin: 4-demethoxydaunorubicin, idarubicine
idelalisib: CAL-101, GS-1101
imatinib: STI571, STI-571, CGP 57148, Gleevec, Glivec
iniparib: BSI-201
inotuzumab ozogamicin: CMC-544
interferon alfa-2a: interferon alpha-2a
interferon alfa-2b: interferon alpha-2b
iobenguane: MIBG, metaiodobenzylguanidine
ipilimumab: MDX-010
irinotecan: CPT-11
isotretinoin: 13-cis-retinoic acid
ivosidenib: AG-120
ixabepilone: BMS-247550
ixazomib: MLN2238
lapatinib: GW572016
laromustine: VNP40101M, Cloretazine
larotrectinib: LOXO-101
lenalidomide: CC-5013
lenvatinib: E7080
lestaurtinib: CEP-701
letrozole: CGS 20267
leuprorelin: leuprolide, leuprolide acetate, leuprorelin acetate
levofolinic acid: levoleucovorin, L-leucovorin
linifanib: ABT-869
linsitinib: OSI-906
lomustine: CCNU
lonafarnib: SCH 66336
lorlatinib: PF-06463922
luminespib: AUY922, NVP-AUY922
lurbinectedin: PM01183
marizomib: NPI-0052
masitinib: AB1010
melphalan flufenamide: melflufen
melphalan: L-PAM, L-phenylalanine mustard
mercaptopurine: 6-MP, 6-mercaptopurine
methotrexate: MTX, amethopterin, methotrexate sodium
midostaurin: PKC412
mirdametinib: PD-0325901
mitomycin: mitomycin C, mitomycine
mocetinostat: MGCD0103
motesanib: AMG 706
motolimod: VTX-2337
navitoclax: ABT-263
necitumumab: IMC-11F8
nelarabine: 506U78
neratinib: HKI-272
nilotinib: AMN107
nintedanib: BIBF 1120
niraparib: MK-4827
nivolumab: BMS-936558, MDX-1106, ONO-4538
obatoclax: GX15-070
octreotide: octreotide acetate
olaparib: AZD2281, KU-0059436
omipalisib: GSK2126458
onalespib: AT13387
oprozomib: ONX 0912
orantinib: TSU-68, SU6668
osimertinib: AZD9291
oxaliplatin: L-OHP, oxaliplatine
paclitaxel: Taxol
palbociclib: PD-0332991, PD 0332991
panitumumab: ABX-EGF
panobinostat: LBH589
patupilone: EPO906
pazopanib: GW786034
peginterferon alfa-2b: peg-interferon alpha-2b, pegylated interferon alpha-2b, pegylated interferon alfa-2b
pelitinib: EKB-569
pembrolizumab: MK-3475, lambrolizumab
pemetrexed: LY231514, pemetrexed disodium
pentostatin: 2'-deoxycoformycin
pictilisib: GDC-0941
pilaralisib: XL147, SAR245408
pomalidomide: CC-4047
ponatinib: AP24534
pralsetinib: BLU-667
quisinostat: JNJ-26481585
quizartinib: AC220
raltitrexed: ZD1694, Tomudex
ramucirumab: IMC-1121B
refametinib: RDEA119, BAY 86-9766
regorafenib: BAY 73-4506
retaspimycin: IPI-504
ribociclib: LEE011, ribociclib succinate
ridaforolimus: AP23573, MK-8669, deforolimus
rigosertib: ON 01910.Na
ripretinib: DCC-2618
rituximab: IDEC-C2B8
rociletinib: CO-1686
romidepsin: FK228, FR901228
rovalpituzumab tesirine: SC16LD6.5, Rova-T
rucaparib: AG-014699, PF-01367338
ruxolitinib: INCB018424, ruxolitinib phosphate
S-1: TS-1
sacituzumab govitecan: IMMU-132
sagopilone: ZK-EPO
sapacitabine: CYC682
saracatinib: AZD0530
savolitinib: volitinib, AZD6094
seliciclib: CYC202, R-roscovitine
selinexor: KPT-330
selpercatinib: LOXO-292
selumetinib: AZD6244, ARRY-142886
semaxanib: SU5416
semustine: methyl-CCNU
siltuximab: CNTO 328
sirolimus: rapamycin
sonidegib: LDE225, erismodegib
sorafenib: BAY 43-9006
sotorasib: AMG 510
sunitinib: SU11248, sunitinib malate
talazoparib: BMN 673
tamoxifen: tamoxifen citrate
tanespimycin: 17-AAG, 17-allylamino-17-demethoxygeldanamycin, KOS-953
tazemetostat: EPZ-6438
temozolomide: Temodal, Temodar
temsirolimus: CCI-779
teniposide: VM-26
tepotinib: EMD 1214063
tioguanine: 6-TG, thioguanine, 6-thioguanine
tipifarnib: R115777
tirapazamine: SR 4233
tivantinib: ARQ 197
tivozanib: AV-951
topotecan: SKF 104864
tozasertib: VX-680, MK-0457
trabectedin: ET-743, ecteinascidin 743, trabectédine
trametinib: GSK1120212, trametinib dimethyl sulfoxide
trastuzumab deruxtecan: DS-8201, DS-8201a, fam-trastuzumab deruxtecan
trastuzumab emtansine: T-DM1, ado-trastuzumab emtansine
trastuzumab: Herceptin
trebananib: AMG 386
tremelimumab: ticilimumab, CP-675206, CP-675,206
tretinoin: ATRA, all-trans retinoic acid, trétinoïne
triapine: 3-AP, 3-aminopyridine-2-carboxaldehyde thiosemicarbazone
trifluridine/tipiracil: TAS-102
tucatinib: ARRY-380, ONT-380
UCN-01: 7-hydroxystaurosporine
vandetanib: ZD6474
vatalanib: PTK787, ZK-222584, PTK787/ZK222584
veliparib: ABT-888
vemurafenib: PLX4032, RG7204
venetoclax: ABT-199, GDC-0199
vinblastine: vincaleukoblastine, vinblastine sulfate
vincristine: leurocristine, Oncovin, vincristine sulfate
vinorelbine: vinorelbine tartrate, vinorelbine ditartrate
vismodegib: GDC-0449
volasertib: BI 6727
vorinostat: SAHA, suberoylanilide hydroxamic acid
voxtalisib: XL765, SAR245409
zanubrutinib: BGB-3111
zoledronic acid: zoledronate, acide zolédronique
"""


def _read(table: str) -> dict[str, tuple[str, ...]]:
    lines = (line.partition(": ") for line in table.strip().splitlines())
    # A comma inside a code (CP-358,774) has no space behind it; between two synonyms there is one.
    return {name: tuple(others.split(", ")) for name, _, others in lines}


KNOWN_SYNONYMS: dict[str, tuple[str, ...]] = _read(_TABLE)
"""The name to use -> the other names of the same molecule."""
