/**
 * What COMMAND DOCS tells about the commands of places: the words of redis-server 7.0.15 (BSD 3-clause licence,
 * © 2006-2022 Redis Ltd.), since clients read them. How it is written down: `command-docs.ts`.
 */
export const geoDocs = `
geoadd
  = Add one or more geospatial items in the geospatial index represented using a sorted set
  since 3.2.0
  cost O(log(N)) for each item added, where N is the number of elements in the sorted set.
  history 6.2.0 Added the \`CH\`, \`NX\` and \`XX\` options.
  arguments
    key key #0
    condition oneof optional since 6.2.0
      nx pure-token "NX"
      xx pure-token "XX"
    change pure-token "CH" optional since 6.2.0
    longitude_latitude_member block multiple
      longitude double
      latitude double
      member string
geodist
  = Returns the distance between two members of a geospatial index
  since 3.2.0
  cost O(log(N))
  arguments
    key key #0
    member1 string
    member2 string
    unit oneof optional
      m pure-token "M"
      km pure-token "KM"
      ft pure-token "FT"
      mi pure-token "MI"
geohash
  = Returns members of a geospatial index as standard geohash strings
  since 3.2.0
  cost O(log(N)) for each member requested, where N is the number of elements in the sorted set.
  arguments
    key key #0
    member string multiple
geopos
  = Returns longitude and latitude of members of a geospatial index
  since 3.2.0
  cost O(N) where N is the number of members requested.
  arguments
    key key #0
    member string multiple
georadius
  = Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a point
  since 3.2.0
  cost O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.
  flag deprecated
  deprecated 6.2.0 \`GEOSEARCH\` and \`GEOSEARCHSTORE\` with the \`BYRADIUS\` argument
  history 6.2.0 Added the \`ANY\` option for \`COUNT\`.
  history 7.0.0 Added support for uppercase unit names.
  arguments
    key key #0
    longitude double
    latitude double
    radius double
    unit oneof
      m pure-token "M"
      km pure-token "KM"
      ft pure-token "FT"
      mi pure-token "MI"
    withcoord pure-token "WITHCOORD" optional
    withdist pure-token "WITHDIST" optional
    withhash pure-token "WITHHASH" optional
    count block optional
      count integer "COUNT"
      any pure-token "ANY" optional since 6.2.0
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
    key key "STORE" #1 optional
    key key "STOREDIST" #2 optional
georadius_ro
  = A read-only variant for GEORADIUS
  since 3.2.10
  cost O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.
  flag deprecated
  deprecated 6.2.0 \`GEOSEARCH\` with the \`BYRADIUS\` argument
  history 6.2.0 Added the \`ANY\` option for \`COUNT\`.
  arguments
    key key #0
    longitude double
    latitude double
    radius double
    unit oneof
      m pure-token "M"
      km pure-token "KM"
      ft pure-token "FT"
      mi pure-token "MI"
    withcoord pure-token "WITHCOORD" optional
    withdist pure-token "WITHDIST" optional
    withhash pure-token "WITHHASH" optional
    count block optional
      count integer "COUNT"
      any pure-token "ANY" optional since 6.2.0
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
georadiusbymember
  = Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a member
  since 3.2.0
  cost O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.
  flag deprecated
  deprecated 6.2.0 \`GEOSEARCH\` and \`GEOSEARCHSTORE\` with the \`BYRADIUS\` and \`FROMMEMBER\` arguments
  history 7.0.0 Added support for uppercase unit names.
  arguments
    key key #0
    member string
    radius double
    unit oneof
      m pure-token "M"
      km pure-token "KM"
      ft pure-token "FT"
      mi pure-token "MI"
    withcoord pure-token "WITHCOORD" optional
    withdist pure-token "WITHDIST" optional
    withhash pure-token "WITHHASH" optional
    count block optional
      count integer "COUNT"
      any pure-token "ANY" optional
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
    key key "STORE" #1 optional
    key key "STOREDIST" #2 optional
georadiusbymember_ro
  = A read-only variant for GEORADIUSBYMEMBER
  since 3.2.10
  cost O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.
  flag deprecated
  deprecated 6.2.0 \`GEOSEARCH\` with the \`BYRADIUS\` and \`FROMMEMBER\` arguments
  arguments
    key key #0
    member string
    radius double
    unit oneof
      m pure-token "M"
      km pure-token "KM"
      ft pure-token "FT"
      mi pure-token "MI"
    withcoord pure-token "WITHCOORD" optional
    withdist pure-token "WITHDIST" optional
    withhash pure-token "WITHHASH" optional
    count block optional
      count integer "COUNT"
      any pure-token "ANY" optional
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
geosearch
  = Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle.
  since 6.2.0
  cost O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape
  history 7.0.0 Added support for uppercase unit names.
  arguments
    key key #0
    from oneof
      member string "FROMMEMBER"
      longitude_latitude block "FROMLONLAT"
        longitude double
        latitude double
    by oneof
      circle block
        radius double "BYRADIUS"
        unit oneof
          m pure-token "M"
          km pure-token "KM"
          ft pure-token "FT"
          mi pure-token "MI"
      box block
        width double "BYBOX"
        height double
        unit oneof
          m pure-token "M"
          km pure-token "KM"
          ft pure-token "FT"
          mi pure-token "MI"
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
    count block optional
      count integer "COUNT"
      any pure-token "ANY" optional
    withcoord pure-token "WITHCOORD" optional
    withdist pure-token "WITHDIST" optional
    withhash pure-token "WITHHASH" optional
geosearchstore
  = Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle, and store the result in another key.
  since 6.2.0
  cost O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape
  history 7.0.0 Added support for uppercase unit names.
  arguments
    destination key #0
    source key #1
    from oneof
      member string "FROMMEMBER"
      longitude_latitude block "FROMLONLAT"
        longitude double
        latitude double
    by oneof
      circle block
        radius double "BYRADIUS"
        unit oneof
          m pure-token "M"
          km pure-token "KM"
          ft pure-token "FT"
          mi pure-token "MI"
      box block
        width double "BYBOX"
        height double
        unit oneof
          m pure-token "M"
          km pure-token "KM"
          ft pure-token "FT"
          mi pure-token "MI"
    order oneof optional
      asc pure-token "ASC"
      desc pure-token "DESC"
    count block optional
      count integer "COUNT"
      any pure-token "ANY" optional
    storedist pure-token "STOREDIST" optional
`
