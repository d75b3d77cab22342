"""A private hub as static files: published modules, their pages, and what programs read.

    <site>/site.json                     the address under which it is served
    <site>/index.html, index.json, feed.xml, site.css, site.js
    <site>/acme/reviews-en/index.html    the page of all versions
    <site>/acme/reviews-en/3/            the page of one, version.json, pictures
    <site>/acme/reviews-en/3.tar.gz      its archive
    <site>/acme/reviews-en.tar.gz        a link to the newest archive

A version is there from the moment when its folder is, by one rename. All else is made of the
`version.json` in these folders, and made again where it is not as they say.
"""
