using System.Xml;
using Nacre.ControlPlane.Api;

namespace Nacre.ControlPlane.Network;

/// <summary>Answers of EC2, API version 2016-11-15.</summary>
internal static class Ec2Xml
{
    public static byte[] Interfaces(IReadOnlyList<NetworkInterface> page, string? nextToken, string requestId) =>
        XmlText.Write("DescribeNetworkInterfacesResponse", "http://ec2.amazonaws.com/doc/2016-11-15/", xml =>
        {
            xml.WriteElementString("requestId", requestId);
            xml.WriteStartElement("networkInterfaceSet");
            foreach (var item in page) Write(xml, item);
            xml.WriteEndElement();
            if (nextToken is not null) xml.WriteElementString("nextToken", nextToken);
        });

    public static byte[] Error(ApiException error, string requestId) => XmlText.Write("Response", null, xml =>
    {
        xml.WriteStartElement("Errors");
        xml.WriteStartElement("Error");
        xml.WriteElementString("Code", error.Code);
        xml.WriteElementString("Message", XmlText.Valid(error.Message));
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteElementString("RequestID", requestId);
    });

    private static void Write(XmlWriter xml, NetworkInterface item)
    {
        xml.WriteStartElement("item");
        xml.WriteElementString("networkInterfaceId", item.Id);
        xml.WriteElementString("subnetId", item.SubnetId);
        xml.WriteElementString("vpcId", item.VpcId);
        xml.WriteElementString("description", item.Description);
        xml.WriteElementString("ownerId", item.OwnerId);
        xml.WriteElementString("requesterManaged", "true");
        xml.WriteElementString("status", "in-use");
        xml.WriteElementString("macAddress", item.MacAddress);
        xml.WriteElementString("privateIpAddress", item.PrivateIpAddress);
        xml.WriteElementString("sourceDestCheck", "true");
        WriteGroups(xml, item.SecurityGroupIds);
        xml.WriteStartElement("tagSet");
        xml.WriteEndElement();
        xml.WriteStartElement("privateIpAddressesSet");
        xml.WriteStartElement("item");
        xml.WriteElementString("privateIpAddress", item.PrivateIpAddress);
        xml.WriteElementString("primary", "true");
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteElementString("interfaceType", "interface");
        xml.WriteEndElement();
    }

    private static void WriteGroups(XmlWriter xml, IReadOnlyList<string> ids)
    {
        xml.WriteStartElement("groupSet");
        foreach (var id in ids)
        {
            xml.WriteStartElement("item");
            xml.WriteElementString("groupId", id);
            // Groups have names on AWS; here the id is all there is.
            xml.WriteElementString("groupName", id);
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }
}
