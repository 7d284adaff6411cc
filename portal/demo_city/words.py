"""Word lists the made-up city is named from. No list holds a real person, firm or street of any city; telephone numbers are
of the 555 exchange and e-mail addresses of domains that are reserved for examples.
"""

from __future__ import annotations


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN_NAMES = _listed(
    """
Marcus Denise Alana Tobias Renata Wendell Odessa Clifton Marisol Gideon Lorena Desmond Priya Thaddeus Camila Roscoe Ines
Wilbur Yolanda Anselm Beatriz Cornell Delphine Ezekiel Farida Garland Henrietta Ignacio Josephine Kendrick Lavinia Malachi
Noemi Orville Petra Quentin Rosalind Silas Tamika Ulysses Verona Winston Ximena Yusuf Zelda Alton Bernice Cedric Dorothea
Elwood Florine Grover Hollis Imelda Jarvis Keisha Leland Mavis Norbert Opal Percy Ramona Sterling Thelma Ursula Vernon
Wanda Xavier Yvette Zachary Amara Boyd Celeste Darnell Estelle Fletcher Glenda Harlan Iris Jerome Karina Lamar Minerva
Nestor Ofelia Prescott Rhoda Saul Trudy Vaughn Winifred Abel Blanche Curtis Dahlia Emmett Faye Gerard Hazel Irving Judith
Kermit Lucinda Milton Nadine Oswald Pauline Reuben Sybil Truman Viola Wallace Adela Bruno Carmela Dexter Eunice Forrest
Gwendolyn Hector Ivette Jonas Katrina Luther Myrtle Nelson Oralia Phineas Regina Stanton Teodora Vance Willa Arturo
Belinda Cyrus Dolores Ernest Francine Gordon Hattie Isidro Juanita Kelvin Leonora Maurice Nanette Otis Patrice Rufus
Selma Terrence Velma Wesley Althea Barrett Cleo Duncan Elvira Felix Geneva Homer Ida Jasper Kendra Lionel Maxine Neville
Olive Pascal Renee Seymour Tabitha Virgil Whitney Ambrose Bettina Chester Daphne Edgar Flora Giles Helena Ira Jewel
Kurt Leticia Monroe Nina Owen Phoebe Rex Simone Theo Vera Warren Ada Byron Cora Dwight Edith Floyd Greta Hugh Ivy Joel
"""
)

FAMILY_STARTS = _listed(
    """
Ash Black Brack Bram Brook Burn Cald Carl Chad Clay Cole Cran Crest Dal Dan Dray Dun East Eld Elm Fair Farn Fen Fern Fox
Gar Glen Gran Green Had Hal Ham Hart Haw Hay Heath Hen Hol Horn Hunt Kel Ken Kirk Lang Lin Lock Long Mar May Mel Mer Mill
Mor Nor North Oak Old Or Os Park Pem Pres Quin Rad Red Ridge Rock Rose Rush Sand Sea Shel Sher South Stan Star Stone Sut
Swan Tal Thorn Til Up Ver Wake Wal War Wed Wel West Whit Wil Win Wood Wren Wyn Yar
"""
)
FAMILY_ENDS = _listed(
    """
ard ley ton well wick worth ford field burn by combe cott croft dale den don er feld gate good grove ham hart haven hurst
ing ingham land lock low man mere mond mont more ner over ridge rick row sby sett shaw side smith son stead sten stock
stone stow vale ville ward water way wood wyn
"""
)
FAMILY_NAMES = _listed(
    """
Arceneaux Belizaire Castellanos Delacroix Echevarria Fontaine Guillory Hinojosa Iturralde Jeansonne Kowalczyk Laboriel
Montenegro Navarrete Okonkwo Pettaway Quintanilla Robichaux Santangelo Thibodeaux Uriarte Villalobos Wojcik Ybarra Zamudio
Abernathy Boudreaux Cartwright Dunaway Easterling Fortenberry Gadsden Hathcock Ivey Jernigan Killingsworth Lattimore
McAlister Nettles Oglesby Purvis Quattlebaum Ransom Shackelford Tillery Underhill Vickery Weatherly Yancey Zeigler
Adebayo Bui Chaudhry Dieudonne Estime Fleurant Ghosh Huynh Ibarra Joubert Kapoor Lagueux Mbeki Nazario Obregon Petrov
Rahman Saldana Tran Umana Velazquez Wisniewski Xiong Yamada Zielinski
"""
)
"""Rarer than the ones put together from the two lists above."""

STREET_STARTS = _listed(
    """
Amber Apple Arbor Aspen Autumn Azalea Bay Beacon Bell Birch Blossom Bluff Bramble Brier Brook Canopy Canyon Cedar Cherry
Chestnut Clover Copper Coral Cotton Crane Crescent Cypress Dog Dove Drift Eagle Echo Elder Ember Fallow Falcon Fawn Fern
Field Fig Flint Forest Fox Garden Ginger Glen Golden Grape Grove Harbor Hawk Hazel Heather Heron Hickory Holly Honey
Indigo Iris Iron Ivy Jasmine Juniper Lake Lantern Lark Laurel Lily Linden Live Lotus Magnolia Maple Marsh Meadow Mill
Mimosa Misty Moss Mulberry Myrtle Needle Oak Olive Orange Orchard Osprey Owl Palm Peach Pear Pebble Pecan Persimmon
Pine Plum Pond Poplar Quail Quarry Rain Raven Reed Ridge River Robin Rose Rush Sage Sand Sedge Shade Shell Silver Sparrow
Spring Stone Summer Sun Swan Sweet Sycamore Tall Thistle Timber Trail Tulip Tupelo Valley Velvet Vine Violet Walnut Water
Whisper Wild Willow Wind Winter Wren Yarrow
"""
)
STREET_ENDS = _listed(
    """
bank bend berry bluff bridge brook burst bush cliff cove creek crest crossing dale dell fall field fire ford gate glade
glen grove hammock haven head hill hollow hurst key knoll lake land lawn leaf lea light low mead meadow mere mist moor
moss pass path point pond reach ridge rise run shade shadow shire side spring stead stone stream thorn trace trail vale
view wake walk ward water way wind wood
"""
)
STREET_KINDS = ("St", "Ave", "Dr", "Ct", "Ln", "Rd", "Way", "Pl", "Ter", "Cir", "Trl", "Blvd")

DISTRICTS = (
    ("northgate", "Northgate"),
    ("lakeside", "Lakeside"),
    ("pine_ridge", "Pine Ridge"),
    ("mill_creek", "Mill Creek"),
    ("old_town", "Old Town"),
    ("college_heights", "College Heights"),
    ("southfield", "Southfield"),
    ("airport_road", "Airport Road"),
)

FIRM_STARTS = _listed(
    """
Bluewater Copperleaf Sandhill Magnolia Lantern Tidewater Redbud Panhandle Evergreen Cypress Whitepine Summerhill Ironwood
Goldfinch Riverbend Oakmont Highland Coastal Juniper Northstar Sunrise Heron Longleaf Palmetto Millstone Clearbrook
Honeybee Wiregrass Bayberry Silverleaf Foxglove Timberline Brightwater Kingfisher Stonegate Windmill Marigold Dogwood
Harborview Meadowlark
"""
)
FIRM_TRADES = (
    "Cafe", "Bakery", "Auto Repair", "Hardware", "Dental", "Veterinary", "Laundry", "Florist", "Books", "Barber Shop",
    "Pharmacy", "Bike Shop", "Grill", "Tile", "Print Shop", "Day Care", "Fitness", "Electric Supply", "Nursery", "Storage",
    "Tire", "Seafood", "Pizza", "Upholstery", "Optical", "Music", "Pet Supply", "Car Wash", "Coffee Roasters", "Catering",
)  # fmt: skip
LANDLORD_TRADES = ("Rentals", "Property Group", "Apartments", "Homes", "Realty Partners", "Residential")
FIRM_FORMS = ("LLC", "Inc", "LLC", "Co", "LLC")

LANGUAGES = ("Spanish", "Haitian Creole", "Vietnamese", "American Sign Language", "Mandarin", "Portuguese")
LANGUAGE_WEIGHTS = (0.58, 0.16, 0.09, 0.07, 0.06, 0.04)

AREA_CODES = (
    "850",
    "448",
    "386",
    "352",
    "904",
    "229",
    "334",
    "251",
    "407",
    "813",
    "321",
    "863",
    "941",
    "239",
    "561",
    "772",
)
"""The city's own first; people keep numbers from where they lived before, and 555 has ten thousand in each."""
SPARE_AREA_CODE = "727"
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
